import type { KernelFunction } from '../wasm/module.ts'

/**
 * The fields of the control block, 32 bits each, by position. A thread pool and its workers share the
 * block. One run of a kernel by the pool is a generation.
 *
 * - `generation` changes with every run. Its lowest byte is the number of workers that take part, or
 *   `closed`, so that a worker that wakes late reads both at once.
 * - `started` is how many workers have started; each takes its number as its index.
 * - `next` is the first element that no thread has taken yet, of `total`.
 * - `finished` is how many workers are done with this generation.
 * - `argumentsAt` is the address of the kernel's arguments.
 * - `codeAt` and `codeLength` locate the kernel's module in the control block.
 */
export const field = {
  generation: 0,
  started: 1,
  next: 2,
  total: 3,
  finished: 4,
  argumentsAt: 5,
  codeAt: 6,
  codeLength: 7,
} as const

/** The lowest byte of `generation` that ends the workers. */
export const closed = 255

/** Where modules begin in the control block, and how many bytes all of them can take. */
export const codeBegin = 64
export const codeBytes = 262144

/** How many elements a thread takes at a time. */
const chunkElements = 65536

/** What a worker is started with. */
export interface WorkerInput {
  readonly controlBlock: SharedArrayBuffer
  readonly memory: WebAssembly.Memory
}

/** Runs a kernel over chunks of the current generation until none is left. */
export function runChunks(fields: Int32Array<SharedArrayBuffer>, kernel: KernelFunction): void {
  const total = fields[field.total]
  const argumentsAt = fields[field.argumentsAt]
  for (;;) {
    const from = Atomics.add(fields, field.next, chunkElements)
    if (from >= total) return
    kernel(argumentsAt, from, Math.min(chunkElements, total - from))
  }
}
