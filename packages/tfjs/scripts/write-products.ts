import { writeFileSync } from 'node:fs'
import { productsSource } from './products.ts'

const path = new URL('../src/wasm-gradients/generated/products.ts', import.meta.url)
writeFileSync(path, await productsSource())
