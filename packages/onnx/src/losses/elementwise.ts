import { sizes, type Value } from '../ir/value.ts'
import { mul, reduceMean, softplus, square, sub } from '../ops/operations.ts'
import { judged, type Loss } from './loss.ts'

/** Which output is judged, and what takes its targets. */
export interface ElementwiseLossOptions {
  /** The output that is judged; needed where there are several. */
  readonly output?: string
  /** The name of the input that takes the targets, of the output's shape. Default `target`. */
  readonly target?: string
}

const mean =
  (cost: (y: Value, t: Value) => Value) =>
  ({ output, target = 'target' }: ElementwiseLossOptions = {}): Loss =>
  (outputs) => {
    const y = judged(outputs, output)
    const costs = cost(y, y.graph.input(target, 'float32', sizes(y)))
    return reduceMean(
      costs,
      costs.shape.map((_, axis) => axis),
      'drop',
    )
  }

type ElementwiseLoss = (options?: ElementwiseLossOptions) => Loss

/** The mean of (y − t)². */
export const meanSquaredError: ElementwiseLoss = mean((y, t) => square(sub(y, t)))

/** The mean of −t·ln σ(y) − (1 − t)·ln(1 − σ(y)), written as ln(1 + eʸ) − t·y, which cannot overflow. */
export const binaryCrossEntropy: ElementwiseLoss = mean((y, t) => sub(softplus(y), mul(t, y)))
