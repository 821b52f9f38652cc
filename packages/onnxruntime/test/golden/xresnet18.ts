import { buildModel, type Model, ones, xResNet18 } from '@diffgrad/onnx'

export const batch = 8
const size = 64

/**
 * XResNet-18 on images of 64 × 64. Branches do not begin as nothing: there the gradient of a whole
 * branch hangs on a γ of which only rounding decides the sign, and no two programs agree.
 */
export const xResNet18Model = (): Model =>
  buildModel(xResNet18(10, { lastScale: ones }), { shape: ['batch', 3, size, size], seed: 18 })

/** Four batches of noise that take turns, by a linear congruential generator that the recipe has too. */
export function* batches(): Generator<{ input: Float32Array; target: number[] }> {
  let state = 18
  const pixel = (): number => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  }
  const four = Array.from({ length: 4 }, (_, k) => ({
    input: Float32Array.from({ length: batch * 3 * size * size }, pixel),
    target: Array.from({ length: batch }, (_, n) => (n + k) % 10),
  }))
  for (let t = 0; ; t++) yield four[t % 4]
}
