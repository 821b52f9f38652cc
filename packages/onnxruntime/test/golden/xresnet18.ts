import { buildModel, type Model, ones, xResNet18 } from '@diffgrad/onnx'

export const batch = 8
const size = 64

/**
 * XResNet-18 on images of 64 × 64. The last scale of a residual branch starts at 1, not at 0, its default:
 * there, the sign of a scale depends on rounding, and no two programs agree.
 */
export const xResNet18Model = (): Model =>
  buildModel(xResNet18(10, { lastScale: ones }), { shape: ['batch', 3, size, size], seed: 18 })

/** Four batches of noise, by a linear congruential generator that xresnet18.py has too. */
export function fourBatches(): readonly { input: Float32Array; target: number[] }[] {
  let state = 18
  const pixel = (): number => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  }
  return Array.from({ length: 4 }, (_, k) => ({
    input: Float32Array.from({ length: batch * 3 * size * size }, pixel),
    target: Array.from({ length: batch }, (_, n) => (n + k) % 10),
  }))
}
