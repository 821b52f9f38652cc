import { dilatedKernel, pooledSizes, poolingWindow } from '../analysis/shapes/convolution.ts'
import type { Operation, Value } from '../ir/graph.ts'
import { spatialShape, staticShape } from '../ir/value.ts'
import { elementCount } from '../model/model.ts'
import { apply } from '../ops/apply.ts'
import {
  abs,
  add,
  cast,
  div,
  equal,
  exp,
  filled,
  log,
  mul,
  neg,
  pad,
  pow,
  reduceMean,
  reduceSum,
  reshape,
  sqrt,
  square,
  sub,
  where,
} from '../ops/builders.ts'
import { normalize } from '../ops/normalization.ts'
import type { OperatorRewrite } from '../rewrites/import.ts'
import { fusedDecompositions } from './fused.ts'
import { gridSample } from './grid-sample.ts'
import { recurrentDecompositions } from './recurrent.ts'

/** Rewrites an operator on one input. */
const onInput =
  (rewrite: (operation: Operation, x: Value) => Value): OperatorRewrite =>
  (operation) => [rewrite(operation, operation.input(0))]

/** |x|ᵖ */
const power = (x: Value, p: number): Value =>
  p === 1 ? abs(x) : p === 2 ? square(x) : pow(abs(x), p)

/** s^(1/p) for s ≥ 0. Its gradient is 0 where s = 0, where the function has none. */
function root(s: Value, p: number): Value {
  if (p === 1) return s
  const safe = where(equal(s, 0), s.graph.scalar(1), s)
  return where(equal(s, 0), s, p === 2 ? sqrt(safe) : pow(safe, 1 / p))
}

const spatialAxes = ({ shape }: Value): readonly number[] => shape.map((_, axis) => axis).slice(2)

/** y = (Σ|x|ᵖ)^(1/p) over all pixels */
const globalLpPool = onInput((operation, x) => {
  const p = operation.int('p', 2)
  return root(reduceSum(power(x, p), spatialAxes(x)), p)
})

/** y[i] = (Σ|x|ᵖ)^(1/p) over the window of i. Sums are means, over a window that is always full of zeros. */
const lpPool = onInput((operation, x) => {
  const p = operation.int('p', 2)
  const window = poolingWindow(operation)
  const outputSpace = pooledSizes(operation, window)
  const span = dilatedKernel(window)
  const end = spatialShape(x).map((size, axis) => {
    const covered = ((outputSpace[axis] ?? 1) - 1) * (window.strides[axis] ?? 1) + (span[axis] ?? 1)
    return covered - size - (window.begin[axis] ?? 0)
  })
  const means = apply('AveragePool', [pad(power(x, p), [0, 0, ...window.begin], [0, 0, ...end])], {
    kernel_shape: window.kernel,
    strides: window.strides,
    dilations: window.dilations,
  })
  return root(mul(means, elementCount(window.kernel)), p)
})

/** y = x / (Σ|x|ᵖ)^(1/p) along an axis, and 0 where all elements are 0 */
const lpNormalization = onInput((operation, x) => {
  const axis = operation.axis(operation.int('axis', -1), x.shape.length)
  const p = operation.int('p', 2)
  const size = root(reduceSum(power(x, p), [axis]), p)
  return div(x, where(equal(size, 0), x.graph.scalar(1), size))
})

/** y = x·(κ + α/n·Σx²)^(−β), the sum over n neighbouring channels */
const lrn = onInput((operation, x) => {
  const shape = staticShape(x)
  const [batch = 1, channels = 1, ...space] = shape
  const n = operation.int('size', 1)
  const [begin, end] = [Math.floor((n - 1) / 2), Math.ceil((n - 1) / 2)]
  const columns = reshape(square(x), [batch, 1, channels, elementCount(space)])
  const means = apply('AveragePool', [pad(columns, [0, 0, begin, 0], [0, 0, end, 0])], {
    kernel_shape: [n, 1],
  })
  const scaled = add(mul(means, operation.float('alpha', 1e-4)), operation.float('bias', 1))
  const factor = exp(mul(log(reshape(scaled, shape)), -operation.float('beta', 0.75)))
  return mul(x, factor)
})

/** y = (x − E[x]) / (√(E[x²] − E[x]²) + 10⁻⁹) over some axes: batch and pixels by default */
const meanVarianceNormalization = onInput((operation, x) => {
  const rank = x.shape.length
  const axes = (operation.ints('axes') ?? [0, 2, 3]).map((axis) => operation.axis(axis, rank))
  const centered = sub(x, reduceMean(x, axes))
  return div(centered, add(sqrt(reduceMean(square(centered), axes)), 1e-9))
})

/** y = γ·(x − μ)·r + β, with the further outputs μ and r = 1/√(σ² + ε), over the last axes */
const layerNormalization: OperatorRewrite = (operation) => {
  const [x, scale, bias] = [operation.input(0), operation.input(1), operation.inputs[2]]
  const first = operation.axis(operation.int('axis', -1), x.shape.length)
  const axes = x.shape.map((_, axis) => axis).slice(first)
  const { mean, inverse, normalized } = normalize(x, axes, operation.float('epsilon', 1e-5))
  const scaled = mul(normalized, scale)
  return [bias ? add(scaled, bias) : scaled, mean, inverse]
}

/** The weighted costs −w·log p of the targets, in the form that `reduction` says. */
function negativeLogLikelihood(operation: Operation, logProbabilities: Value): Value {
  const [target, classWeights] = [operation.input(1), operation.inputs[2]]
  const ignored =
    operation.attributes.get('ignore_index') === undefined
      ? undefined
      : equal(target, operation.int('ignore_index', 0))
  const known = ignored ? where(ignored, mul(target, 0), target) : target
  const index = apply('Unsqueeze', [known, known.graph.integers([1])])
  const selected = apply('GatherElements', [logProbabilities, index], { axis: 1 })
  const costs = neg(reshape(selected, staticShape(target)))
  const ones = filled(costs.graph, staticShape(target), 1)
  const ofTargets = classWeights ? apply('Gather', [classWeights, known]) : ones
  const weights = ignored ? mul(ofTargets, sub(1, cast(ignored, 'float32'))) : ofTargets
  const weighted = mul(costs, weights)
  const all = target.shape.map((_, axis) => axis)
  const total = reduceSum(weighted, all, 'drop')
  switch (operation.string('reduction', 'mean')) {
    case 'none':
      return weighted
    case 'sum':
      return total
    default:
      return div(total, reduceSum(weights, all, 'drop'))
  }
}

const negativeLogLikelihoodLoss = onInput(negativeLogLikelihood)

/** The cross-entropy of scores with classes on axis 1, with the further output log p */
const softmaxCrossEntropyLoss: OperatorRewrite = (operation) => {
  const logProbabilities = apply('LogSoftmax', [operation.input(0)], { axis: 1 })
  return [negativeLogLikelihood(operation, logProbabilities), logProbabilities]
}

/**
 * Other forms of operators, exact and of operators that have gradient rules, by which operators without a
 * rule, or with one for their first output only, are differentiated. The operator itself stays in the model.
 */
export const decompositions: ReadonlyMap<string, OperatorRewrite> = new Map([
  ...fusedDecompositions,
  ...recurrentDecompositions,
  ...Object.entries({
    GlobalLpPool: globalLpPool,
    GridSample: gridSample,
    LRN: lrn,
    LayerNormalization: layerNormalization,
    LpNormalization: lpNormalization,
    LpPool: lpPool,
    MeanVarianceNormalization: meanVarianceNormalization,
    NegativeLogLikelihoodLoss: negativeLogLikelihoodLoss,
    SoftmaxCrossEntropyLoss: softmaxCrossEntropyLoss,
  }),
])
