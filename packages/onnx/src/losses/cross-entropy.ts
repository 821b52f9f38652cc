import { OnnxError } from '../error.ts'
import { sizes, type Value } from '../ir/value.ts'
import { add, apply, div, mul, neg, reduceMean, reduceSum } from '../ops/operations.ts'
import { judged, type Loss } from './loss.ts'

/** What classification is judged by. */
export interface CrossEntropyOptions {
  /** `classes`: int64 indices. `probabilities`: float32, one for each class, as mixup makes them. */
  readonly targets?: 'classes' | 'probabilities'
  /** The share of every target that is spread evenly over all classes, in [0, 1). */
  readonly labelSmoothing?: number
  /** How much every class counts. */
  readonly classWeights?: readonly number[]
  /** The output that holds the logits, classes on axis 1; needed where there are several. */
  readonly output?: string
  /** The name of the input that takes the targets. Default `target`. */
  readonly target?: string
}

/**
 * −Σ w·q·log p / Σ w, over classes c and examples n, where p = softmax(logits) and
 * q = (1 − ε)·target + ε / C. The divisor is the weight of the targets' classes, or with
 * probabilities the number of examples.
 */
export function crossEntropy({
  targets = 'classes',
  labelSmoothing = 0,
  classWeights,
  output,
  target = 'target',
}: CrossEntropyOptions = {}): Loss {
  if (!(labelSmoothing >= 0 && labelSmoothing < 1))
    throw new OnnxError(`cross-entropy: labelSmoothing must be in [0, 1), but is ${labelSmoothing}`)
  return (outputs) => {
    const logits = judged(outputs, output)
    const [batch = 1, classes = 1, ...space] = sizes(logits)
    const truth =
      targets === 'classes'
        ? oneHot(logits.graph.input(target, 'int64', [batch, ...space]), classes)
        : logits.graph.input(target, 'float32', [batch, classes, ...space])
    const weights = classWeights && perClass(logits, classWeights)
    const smoothed =
      labelSmoothing === 0 ? truth : add(mul(truth, 1 - labelSmoothing), labelSmoothing / classes)
    const weighted = (shares: Value): Value => (weights ? mul(shares, weights) : shares)
    const logProbabilities = apply('LogSoftmax', [logits], { axis: 1 })
    const costs = reduceSum(mul(weighted(smoothed), logProbabilities), [1], 'drop')
    const all = [batch, ...space].map((_, axis) => axis)
    return targets === 'classes' && weights
      ? neg(
          div(
            reduceSum(costs, all, 'drop'),
            reduceSum(weighted(truth), [...all, all.length], 'drop'),
          ),
        )
      : neg(reduceMean(costs, all, 'drop'))
  }
}

function oneHot(indices: Value, classes: number): Value {
  const { graph } = indices
  const offOn = graph.constant({ type: 'float32', shape: [2], data: Float32Array.of(0, 1) })
  return apply('OneHot', [indices, graph.scalar(classes, 'int64'), offOn], { axis: 1 })
}

function perClass(logits: Value, weights: readonly number[]): Value {
  const [, classes = 1, ...space] = sizes(logits)
  if (weights.length !== classes)
    throw new OnnxError(
      `cross-entropy: classWeights must have ${classes} entries, but has ${weights.length}`,
    )
  return logits.graph.constant({
    type: 'float32',
    shape: [classes, ...space.map(() => 1)],
    data: Float32Array.from(weights),
  })
}
