import type { WasmKernel } from '../wasm/module.ts'

/**
 * What threads tell each other, in 32-bit words of a shared buffer, by position:
 *
 * - `round` changes with every job. Its lowest byte is the number of helpers that take part, or
 *   `closed`, so that a helper that wakes up late learns both in one look.
 * - `ready` is how many helpers have started; each takes its number as its own index.
 * - `next` is the first element that nobody has taken yet, of `total`.
 * - `finished` is how many helpers will touch nothing of this job any more.
 * - `block` is where the kernel's arguments lie.
 * - `codeAt` and `codeLength` are where the kernel's module lies, behind these words.
 */
export const word = {
  round: 0,
  ready: 1,
  next: 2,
  total: 3,
  finished: 4,
  block: 5,
  codeAt: 6,
  codeLength: 7,
} as const

/** In the lowest byte of `round`: the end. */
export const closed = 255

/** How many elements a thread takes at a time. */
const chunk = 65536

/** Where modules begin in the shared buffer, and how much room they have together. */
export const codeBegin = 64
export const codeBytes = 262144

/** Works on chunks of the current job until none is left. */
export function takeChunks(words: Int32Array<SharedArrayBuffer>, kernel: WasmKernel): void {
  const total = words[word.total]
  const block = words[word.block]
  for (;;) {
    const from = Atomics.add(words, word.next, chunk)
    if (from >= total) return
    kernel(block, from, Math.min(chunk, total - from))
  }
}
