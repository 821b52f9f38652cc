import type { Value } from '../ir/graph.ts'
import { staticShape } from '../ir/value.ts'
import { checkOptions, describeArgument, OnnxError } from '../model/error.ts'
import { apply } from '../ops/apply.ts'
import {
  add,
  div,
  mul,
  neg,
  reduceMean,
  reduceSum,
  softplus,
  square,
  sub,
} from '../ops/builders.ts'

/**
 * A loss: appends a scalar to the graph of a model's outputs, computed from them and from targets. The
 * targets become inputs of the graph.
 */
export type Loss = (outputs: ReadonlyMap<string, Value>) => Value

/** Returns the output that a loss is computed from: by its name, or the only one. */
function selectOutput(outputs: ReadonlyMap<string, Value>, name: string | undefined): Value {
  const [first] = outputs.keys()
  const selected = outputs.get(name ?? first ?? '')
  if (selected === undefined || (name === undefined && outputs.size > 1))
    throw new OnnxError(
      `loss: must name one of the outputs ${[...outputs.keys()].join(', ')}, but names ${name ?? 'none'}`,
    )
  if (selected.type !== 'float32')
    throw new OnnxError(`loss: output "${selected.name}" must be float32, but is ${selected.type}`)
  return selected
}

/** Which output a loss is computed from, and the input that takes the targets. */
export interface ElementwiseLossOptions {
  /** The name of the output. Required if there are several. */
  readonly output?: string
  /** The name of the input with the targets, of the output's shape. Default `target`. */
  readonly target?: string
}

const meanLoss =
  (cost: (y: Value, t: Value) => Value) =>
  (options: ElementwiseLossOptions = {}): Loss => {
    checkOptions('loss', options, ['output', 'target'])
    const { output, target = 'target' } = options
    return (outputs) => {
      const y = selectOutput(outputs, output)
      const costs = cost(y, y.graph.input(target, 'float32', staticShape(y)))
      return reduceMean(
        costs,
        costs.shape.map((_, axis) => axis),
        'drop',
      )
    }
  }

type ElementwiseLoss = (options?: ElementwiseLossOptions) => Loss

/** The mean of (y − t)². */
export const meanSquaredError: ElementwiseLoss = meanLoss((y, t) => square(sub(y, t)))

/** The mean of −t·ln σ(y) − (1 − t)·ln(1 − σ(y)), computed as ln(1 + eʸ) − t·y, which cannot overflow. */
export const binaryCrossEntropy: ElementwiseLoss = meanLoss((y, t) => sub(softplus(y), mul(t, y)))

/** The targets and weights of a cross-entropy. */
export interface CrossEntropyOptions {
  /** `classes`, the default: int64 indices. `probabilities`: float32, one per class, as for mixup. */
  readonly targets?: 'classes' | 'probabilities'
  /** ε: the share of every target that is spread evenly over all classes, in [0, 1). Default 0. */
  readonly labelSmoothing?: number
  /** w: the weight of every class. Default 1. */
  readonly classWeights?: readonly number[]
  /** The name of the output with the logits, classes on axis 1. Required if there are several. */
  readonly output?: string
  /** The name of the input with the targets. Default `target`. */
  readonly target?: string
}

/**
 * −Σ w·q·log p / Σ w, over classes c and examples n, where p = softmax(logits) and
 * q = (1 − ε)·target + ε / C. The divisor is the sum of the weights of the target classes, or with
 * probabilities the number of examples.
 */
export function crossEntropy(options: CrossEntropyOptions = {}): Loss {
  checkOptions('cross-entropy', options, [
    ...['targets', 'labelSmoothing', 'classWeights', 'output', 'target'],
  ])
  const {
    targets = 'classes',
    labelSmoothing = 0,
    classWeights,
    output,
    target = 'target',
  } = options
  if (targets !== 'classes' && targets !== 'probabilities')
    throw new OnnxError(
      `cross-entropy: targets must be "classes" or "probabilities", but is ${describeArgument(targets)}`,
    )
  if (!(labelSmoothing >= 0 && labelSmoothing < 1))
    throw new OnnxError(`cross-entropy: labelSmoothing must be in [0, 1), but is ${labelSmoothing}`)
  return (outputs) => {
    const logits = selectOutput(outputs, output)
    const [batch = 1, classes = 1, ...space] = staticShape(logits)
    const truth =
      targets === 'classes'
        ? oneHot(logits.graph.input(target, 'int64', [batch, ...space]), classes)
        : logits.graph.input(target, 'float32', [batch, classes, ...space])
    const weights = classWeights && weightPerClass(logits, classWeights)
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

function weightPerClass(logits: Value, weights: readonly number[]): Value {
  const [, classes = 1, ...space] = staticShape(logits)
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
