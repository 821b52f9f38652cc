import { setFlagsFromString } from 'node:v8'
import { testConformance } from '@diffgrad/testing/conformance'
import { subjects } from './subject.ts'

// Node 20 has relaxed SIMD only on request; later ones have it anyway.
setFlagsFromString('--experimental-wasm-relaxed-simd')

for (const subject of subjects()) testConformance(subject)
