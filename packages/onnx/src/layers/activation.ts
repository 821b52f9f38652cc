import { apply, mul, relu as positive, sigmoid } from '../ops/operations.ts'
import type { Layer } from './layer.ts'

/** max(x, 0) */
export const relu: Layer = (x) => positive(x)

/** x·Φ(x), Φ the normal distribution. */
export const gelu: Layer = (x) => apply('Gelu', [x])

/** x·σ(x), also called swish. */
export const silu: Layer = (x) => mul(x, sigmoid(x))

/** x·tanh(ln(1 + eˣ)) */
export const mish: Layer = (x) => apply('Mish', [x])

/** Sets elements to 0 in training, with probability `ratio` in [0, 1), and divides the others by 1 − ratio. */
export const dropout =
  (ratio: number): Layer =>
  (x) =>
    apply('Dropout', [x, x.graph.scalar(ratio)])
