import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { memoryOf } from './backend.ts'
import { sharedMemoryModule, unsharedMemoryModule } from './generated/matrix-products.ts'

/** Sums of products of float32 matrices in the memory of a backend. Addresses and strides are in bytes. */
export interface MatrixProducts {
  /** C[r, n] += Σₖ A[r, k]·B[k, n]; the columns n of B and of C must be contiguous. */
  addMatrixProduct(
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
  /** C[k, n] += A[k, n]·B[k, n] for k = 0, 1, … in order; a step of 0 keeps a matrix on one row. */
  addElementwiseProduct(
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

const cache = new WeakMap<BackendWasm, MatrixProducts>()

/** The products on the memory of a backend, compiled at first use. */
export function matrixProductsOf(backend: BackendWasm): MatrixProducts {
  const products = cache.get(backend) ?? instantiateMatrixProducts(memoryOf(backend))
  cache.set(backend, products)
  return products
}

/** @throws Error if WebAssembly has no SIMD here. */
export function instantiateMatrixProducts(memory: WebAssembly.Memory): MatrixProducts {
  const isShared = !(memory.buffer instanceof ArrayBuffer)
  const encoded = isShared ? sharedMemoryModule : unsharedMemoryModule
  const code = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0))
  if (!WebAssembly.validate(code)) {
    throw new Error('@diffgrad/tfjs-wasm-gradients needs the SIMD instructions of WebAssembly')
  }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } })
  // The exports of a module have no type; scripts/matrix-products.ts generates this one.
  return exports as unknown as MatrixProducts
}
