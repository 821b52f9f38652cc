import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { plain, shared } from './generated/products.ts'
import { memoryOf } from './memory.ts'

/** Sums of products over the memory of a backend. Places and steps are in bytes. */
export interface Products {
  /** C[r, n] += Σₖ A[r, k]·B[k, n], where the columns n of B and of C lie side by side. */
  matrices(
    c: number,
    cRow: number,
    a: number,
    aRow: number,
    aStep: number,
    b: number,
    bRow: number,
    rows: number,
    columns: number,
    steps: number,
  ): void
  /** C[k, n] += A[k, n]·B[k, n], one k after the other: a step of 0 stays on the same row. */
  lanes(
    c: number,
    cStep: number,
    a: number,
    aStep: number,
    b: number,
    bStep: number,
    columns: number,
    steps: number,
  ): void
}

const known = new WeakMap<BackendWasm, Products>()

/** The products of a backend, compiled when they are first needed. */
export function productsOf(backend: BackendWasm): Products {
  const products = known.get(backend) ?? productsOn(memoryOf(backend))
  known.set(backend, products)
  return products
}

/** @throws Error where WebAssembly has no SIMD. */
export function productsOn(memory: WebAssembly.Memory): Products {
  const encoded = memory.buffer instanceof ArrayBuffer ? plain : shared
  const code = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0))
  if (!WebAssembly.validate(code)) {
    throw new Error('@diffgrad/tfjs/wasm-gradients needs the SIMD instructions of WebAssembly')
  }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } })
  // What a module exports has no type; scripts/products.ts wrote this one.
  return exports as unknown as Products
}
