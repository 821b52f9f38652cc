import type { Value } from '../ir/graph.ts'
import { staticShape } from '../ir/value.ts'
import { checkOptions, describeArgument, OnnxError } from '../model/error.ts'
import { elementCount } from '../model/model.ts'
import { apply } from '../ops/apply.ts'
import {
  abs,
  add,
  cast,
  div,
  equal,
  lessOrEqual,
  matMul,
  max,
  mul,
  neg,
  reduceMean,
  reduceSum,
  reshape,
  softplus,
  sqrt,
  square,
  sub,
  transpose,
  transposeMatrix,
  where,
} from '../ops/builders.ts'

/**
 * A loss: appends a scalar to the graph of a model's outputs, computed from them and from targets. The
 * targets become inputs of the graph.
 */
export type Loss = (outputs: ReadonlyMap<string, Value>) => Value

/**
 * Returns the output that a loss is computed from: by its name, or the only one.
 *
 * @throws {OnnxError} If there is none of the name, or it is not float32.
 */
export function selectOutput(outputs: ReadonlyMap<string, Value>, name?: string): Value {
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

/**
 * An output of the model that is a loss itself: a scalar, or one element. The model's own inputs take the
 * targets.
 *
 * @param options - the name of the output, which is required if there are several.
 */
export function outputLoss(options: Pick<ElementwiseLossOptions, 'output'> = {}): Loss {
  checkOptions('output loss', options, ['output'])
  return (outputs) => {
    const loss = selectOutput(outputs, options.output)
    if (elementCount(staticShape(loss)) !== 1)
      throw new OnnxError(
        `output loss: output "${loss.name}" must be a scalar, but has the shape [${loss.shape}]`,
      )
    return loss.shape.length === 0 ? loss : reshape(loss, [])
  }
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

/**
 * The mean of −t·ln σ(y) − (1 − t)·ln(1 − σ(y)), computed as ln(1 + eʸ) − t·y, which cannot overflow: for
 * logits of several labels that each hold or not.
 */
export const binaryCrossEntropy: ElementwiseLoss = meanLoss((y, t) => sub(softplus(y), mul(t, y)))

/** The mean of |y − t|. */
export const meanAbsoluteError: ElementwiseLoss = meanLoss((y, t) => abs(sub(y, t)))

/** Options of a Huber loss. */
export interface HuberOptions extends ElementwiseLossOptions {
  /** δ > 0: errors up to it count as their squares. Default 1. */
  readonly delta?: number
}

/** The mean of ½e² where |e| ≤ δ, and δ·(|e| − ½δ) elsewhere, for errors e = y − t. */
export function huber({ delta = 1, ...options }: HuberOptions = {}): Loss {
  if (!(delta > 0 && Number.isFinite(delta)))
    throw new OnnxError(`huber: delta must be a number > 0, but is ${describeArgument(delta)}`)
  return meanLoss((y, t) => {
    const e = abs(sub(y, t))
    return where(lessOrEqual(e, delta), mul(square(e), 0.5), mul(sub(e, delta / 2), delta))
  })(options)
}

/** Options of a contrastive loss. */
export interface ContrastiveOptions {
  /** The names of two outputs of embeddings, examples × features. Row i of one belongs to row i of the other. */
  readonly outputs: readonly [string, string]
  /** τ > 0: how far apart similarities must be. Default 0.07. */
  readonly temperature?: number
}

/**
 * −½·(ln softmaxᵢ(sᵢᵢ) over rows + over columns), the mean over examples, where sᵢⱼ = aᵢ·bⱼ / τ for
 * embeddings of length 1: each example is told from all others of its batch. There are no targets.
 *
 * @see Radford et al. (2021), Learning transferable visual models from natural language supervision.
 */
export function contrastive(options: ContrastiveOptions): Loss {
  checkOptions('contrastive', options, ['outputs', 'temperature'])
  const { outputs: names, temperature = 0.07 } = options
  if (!Array.isArray(names) || names.length !== 2)
    throw new OnnxError(`contrastive: outputs must be two names, but is ${describeArgument(names)}`)
  if (!(temperature > 0 && Number.isFinite(temperature)))
    throw new OnnxError(
      `contrastive: temperature must be a number > 0, but is ${describeArgument(temperature)}`,
    )
  return (outputs) => {
    const [a, b] = [selectOutput(outputs, names[0]), selectOutput(outputs, names[1])]
    if (a.shape.length !== 2 || `${a.shape}` !== `${b.shape}`)
      throw new OnnxError(
        `contrastive: outputs must be examples × features of one shape, but are [${a.shape}] and [${b.shape}]`,
      )
    const [examples = 1] = staticShape(a)
    const similarity = mul(matMul(normalized(a), transposeMatrix(normalized(b))), 1 / temperature)
    const identity = Float32Array.from({ length: examples ** 2 }, (_, i) =>
      i % (examples + 1) === 0 ? 1 : 0,
    )
    const pairs = a.graph.constant({
      type: 'float32',
      shape: [examples, examples],
      data: identity,
    })
    const costs = [0, 1].map((axis) => apply('LogSoftmax', [similarity], { axis }))
    const sum = costs.reduce((p, q) => add(p, q))
    return mul(reduceSum(mul(sum, pairs), [0, 1], 'drop'), -0.5 / examples)
  }
}

/** Rows divided by their lengths, at least 10⁻¹². */
const normalized = (x: Value): Value => div(x, sqrt(max(reduceSum(square(x), [1]), 1e-24)))

/** The targets and weights of a cross-entropy. */
export interface CrossEntropyOptions {
  /**
   * `classes`, the default: int64 indices, or int32 in models of plain operators.
   * `probabilities`: float32, one per class, as for mixup.
   */
  readonly targets?: 'classes' | 'probabilities'
  /** ε: the share of every target that is spread evenly over all classes, in [0, 1). Default 0. */
  readonly labelSmoothing?: number
  /** w: the weight of every class. Default 1. */
  readonly classWeights?: readonly number[]
  /** The axis of the logits with the classes; −1 for tokens, batch × length × classes. Default 1. */
  readonly axis?: number
  /** The class of targets that do not count, such as −100 for padding. By default all count. */
  readonly ignoreIndex?: number
  /** The name of the output with the logits. Required if there are several. */
  readonly output?: string
  /** The name of the input with the targets: the logits' shape, classes without its axis. Default `target`. */
  readonly target?: string
}

/**
 * −Σ w·q·log p / Σ w, over classes c and examples n, where p = softmax(logits) and
 * q = (1 − ε)·target + ε / C. The divisor is the sum of the weights of the target classes, or with
 * probabilities the number of examples. Targets of `ignoreIndex` count in neither sum; a batch of nothing
 * else has no finite loss.
 */
export function crossEntropy(options: CrossEntropyOptions = {}): Loss {
  checkOptions('cross-entropy', options, [
    ...['targets', 'labelSmoothing', 'classWeights', 'axis', 'ignoreIndex', 'output', 'target'],
  ])
  const {
    targets = 'classes',
    labelSmoothing = 0,
    classWeights,
    output,
    target = 'target',
  } = options
  const { axis = 1, ignoreIndex } = options
  checkCrossEntropy(targets, labelSmoothing, axis, ignoreIndex)
  return (outputs) => {
    const logits = selectOutput(outputs, output)
    const shape = staticShape(logits)
    const classAxis = axis < 0 ? axis + shape.length : axis
    const classes = shape[classAxis]
    if (classes === undefined)
      throw new OnnxError(
        `cross-entropy: axis must be in [${-shape.length}, ${shape.length}), but is ${axis}`,
      )
    const { graph } = logits
    const targetShape = shape.toSpliced(classAxis, 1)
    const classType = graph.lowering.operators === 'plain' ? 'int32' : 'int64'
    const indices = targets === 'classes' ? graph.input(target, classType, targetShape) : undefined
    const ignored = indices && ignoreIndex !== undefined ? equal(indices, ignoreIndex) : undefined
    const truth = indices
      ? oneHot(
          ignored ? where(ignored, graph.scalar(0, classType), indices) : indices,
          classes,
          classAxis,
        )
      : graph.input(target, 'float32', shape)
    const weights = classWeights && weightPerClass(logits, classWeights, classAxis)
    const smoothed =
      labelSmoothing === 0 ? truth : add(mul(truth, 1 - labelSmoothing), labelSmoothing / classes)
    const weighted = (shares: Value): Value => (weights ? mul(shares, weights) : shares)
    const counted = (x: Value): Value => (ignored ? where(ignored, graph.scalar(0), x) : x)
    const logProbabilities = apply('LogSoftmax', [logits], { axis: classAxis })
    const ofClasses = (x: Value): Value => counted(reduceSum(x, [classAxis], 'drop'))
    const costs = ofClasses(mul(weighted(smoothed), logProbabilities))
    const all = targetShape.map((_, i) => i)
    return indices && (weights || ignored)
      ? neg(div(reduceSum(costs, all, 'drop'), reduceSum(ofClasses(weighted(truth)), all, 'drop')))
      : neg(reduceMean(costs, all, 'drop'))
  }
}

function checkCrossEntropy(
  targets: string,
  labelSmoothing: number,
  axis: number,
  ignoreIndex: number | undefined,
): void {
  if (targets !== 'classes' && targets !== 'probabilities')
    throw new OnnxError(
      `cross-entropy: targets must be "classes" or "probabilities", but is ${describeArgument(targets)}`,
    )
  if (!(labelSmoothing >= 0 && labelSmoothing < 1))
    throw new OnnxError(`cross-entropy: labelSmoothing must be in [0, 1), but is ${labelSmoothing}`)
  for (const [name, value] of Object.entries({ axis, ignoreIndex }))
    if (value !== undefined && !Number.isSafeInteger(value))
      throw new OnnxError(
        `cross-entropy: ${name} must be an integer, but is ${describeArgument(value)}`,
      )
  if (ignoreIndex !== undefined && targets !== 'classes')
    throw new OnnxError('cross-entropy: ignoreIndex needs targets "classes"')
}

function oneHot(indices: Value, classes: number, axis: number): Value {
  const { graph } = indices
  if (graph.lowering.operators === 'plain') return plainOneHot(indices, classes, axis)
  const offOn = graph.constant({ type: 'float32', shape: [2], data: Float32Array.of(0, 1) })
  return apply('OneHot', [indices, graph.scalar(classes, 'int64'), offOn], { axis })
}

/** For runtimes without OneHot: whether an index equals each class. */
function plainOneHot(indices: Value, classes: number, axis: number): Value {
  const { graph, shape } = indices
  const list = graph.initializer(graph.freshName('classes'), {
    type: 'int32',
    shape: [classes, ...shape.map(() => 1)],
    data: Int32Array.from({ length: classes }, (_, i) => i),
  })
  const classesFirst = cast(equal(indices, list), 'float32')
  const others = shape.map((_, i) => i + 1)
  return transpose(classesFirst, others.toSpliced(axis, 0, 0))
}

function weightPerClass(logits: Value, weights: readonly number[], axis: number): Value {
  const shape = staticShape(logits)
  if (weights.length !== shape[axis])
    throw new OnnxError(
      `cross-entropy: classWeights must have ${shape[axis]} entries, but has ${weights.length}`,
    )
  return logits.graph.constant({
    type: 'float32',
    shape: [weights.length, ...shape.slice(axis + 1).map(() => 1)],
    data: Float32Array.from(weights),
  })
}
