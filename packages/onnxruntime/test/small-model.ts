import {
  batchNorm,
  buildModel,
  conv,
  globalAveragePool,
  linear,
  type Model,
  maxPool,
  relu,
  seeded,
  sequential,
} from '@diffgrad/onnx'
import { testSeed } from '@diffgrad/testing/seed'

/** A small convolutional network for images of 8 × 8 in three classes. */
export const smallModel = (): Model =>
  buildModel(
    sequential(
      sequential(conv(8), batchNorm(), relu, maxPool(2)),
      sequential(conv(16), batchNorm(), relu, globalAveragePool),
      linear(3),
    ),
    { shape: ['batch', 1, 8, 8], seed: testSeed(1) },
  )

/** Every transform of gradients and weights. */
export const everyTransform = {
  accumulate: 2,
  centralize: true,
  clip: { by: 'globalNorm', limit: 1e-2 },
  lookahead: { every: 2, alpha: 0.5 },
  ema: { decay: 0.8 },
  skipNotFinite: true,
} as const

/** Images of noise with a bright row (class 0), a bright column (1) or neither (2). */
export function stripes(seed: number, batch = 16): { input: Float32Array; target: number[] } {
  const random = seeded(testSeed(seed))
  const target = Array.from({ length: batch }, () => Math.floor(3 * random.uniform()))
  const input = Float32Array.from({ length: batch * 64 }, () => 0.3 * random.normal())
  for (const [n, label] of target.entries()) {
    const line = Math.floor(8 * random.uniform())
    for (let k = 0; k < 8 && label < 2; k++) {
      input[n * 64 + (label === 0 ? 8 * line + k : 8 * k + line)] += 2
    }
  }
  return { input, target }
}
