import { setFlagsFromString } from 'node:v8'
import { testConformance } from '@diffgrad/testing/conformance'
import { backends } from './conformance-adapter.ts'

// Node 20 has relaxed SIMD only on request; later ones have it anyway.
setFlagsFromString('--experimental-wasm-relaxed-simd')

for (const backend of backends()) testConformance(backend)
