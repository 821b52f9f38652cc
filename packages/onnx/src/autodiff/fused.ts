import { isTransposed } from '../analysis/shapes/fused.ts'
import type { Operation, Value } from '../ir/graph.ts'
import { axisSize, staticShape } from '../ir/value.ts'
import { type Attribute, elementCount } from '../model/model.ts'
import { apply } from '../ops/apply.ts'
import {
  add,
  concatAll,
  div,
  gather,
  matMul,
  mul,
  reduceMean,
  reshape,
  sigmoid,
  sqrt,
  square,
  sub,
  transpose,
  transposeMatrix,
} from '../ops/builders.ts'
import { normalize } from '../ops/normalization.ts'
import type { OperatorRewrite } from '../rewrites/import.ts'
import { attention, multiHeadAttention, splitHeads } from './attention.ts'

/** Adds a value that may be absent. */
const plus = (x: Value, other: Value | undefined): Value => (other ? add(x, other) : x)

const gelu = (x: Value, approximate = 'none'): Value => apply('Gelu', [x], { approximate })

/** y = γ·(x − μ)/σ + β over the last axis */
function layerNorm(operation: Operation, x: Value, scale: Value, bias: Value | undefined): Value {
  const { normalized } = normalize(x, [x.shape.length - 1], operation.float('epsilon', 1e-12))
  return plus(mul(normalized, scale), bias)
}

/** y = γ·x/√(E[x²] + ε) over the last axes, from `axis` on */
function rootMeanSquareNorm(
  operation: Operation,
  x: Value,
  scale: Value,
  defaultEpsilon: number,
): Value {
  const rank = x.shape.length
  const first = operation.axis(operation.int('axis', -1), rank)
  const axes = Array.from({ length: rank - first }, (_, i) => first + i)
  const epsilon = operation.float('epsilon', defaultEpsilon)
  return mul(div(x, sqrt(add(reduceMean(square(x), axes), epsilon))), scale)
}

/** The activations of a FusedConv, with their parameters. */
function activate(operation: Operation, x: Value): Value {
  const [a = 0, b = 0] = operation.floats('activation_params') ?? []
  const name = operation.string('activation', '')
  const attributes: Readonly<Record<string, Readonly<Record<string, Attribute>>>> = {
    HardSigmoid: { alpha: { float: a }, beta: { float: b } },
    LeakyRelu: { alpha: { float: a } },
    Relu: {},
    Sigmoid: {},
    Tanh: {},
  }
  if (name === 'Clip') return apply('Clip', [x, x.graph.scalar(a), x.graph.scalar(b)])
  const own = attributes[name]
  if (own) return apply(name, [x], own)
  throw operation.error(
    `activation must be ${Object.keys(attributes).join(', ')} or Clip, but is ${name}`,
  )
}

/** y = activation(Conv(x, w, b) + z) */
const fusedConv: OperatorRewrite = (operation) => {
  const [x, w, , z] = [operation.input(0), operation.input(1), undefined, operation.inputs[3]]
  const own = [...operation.attributes].filter(([name]) => !name.startsWith('activation'))
  const convolved = apply('Conv', [x, w, operation.inputs[2]], Object.fromEntries(own))
  const y = plus(convolved, z)
  return [operation.attributes.has('activation') ? activate(operation, y) : y]
}

/** y = α·A·B, each transposed if its attribute says so */
const fusedMatMul: OperatorRewrite = (operation) => {
  if (operation.int('transBatchA', 0) !== 0 || operation.int('transBatchB', 0) !== 0)
    throw operation.error('transBatchA and transBatchB must be 0 to be differentiated')
  const [a, b] = (['A', 'B'] as const).map((operand, i) => {
    const x = operation.input(i)
    return isTransposed(operation, operand) ? transposeMatrix(x) : x
  })
  return a && b ? [mul(matMul(a, b), operation.float('alpha', 1))] : []
}

/** The sum of input, skip and bias, normalized; the sum is the fourth output */
const skipNormalization =
  (normalize: (operation: Operation, sum: Value) => Value, biasInput: number): OperatorRewrite =>
  (operation) => {
    const sum = plus(add(operation.input(0), operation.input(1)), operation.inputs[biasInput])
    return [normalize(operation, sum), undefined, undefined, sum]
  }

/** (x₁, x₂) → (x₁·cos − x₂·sin, x₂·cos + x₁·sin) for the halves, or the pairs, of each head */
const rotaryEmbedding: OperatorRewrite = (operation) => {
  const [x, positions, cosines, sines] = [0, 1, 2, 3].map((i) => operation.input(i))
  if (!x || !positions || !cosines || !sines) return []
  const rotated = operation.int('rotary_embedding_dim', 0)
  if (rotated !== 0)
    throw operation.error(`rotary_embedding_dim must be 0 to be differentiated, but is ${rotated}`)
  const half = axisSize(cosines, 1)
  const shape = staticShape(x)
  const isSplit = shape.length === 4
  const [batch = 1, second = 1, third = 1] = shape
  const length = isSplit ? third : second
  const perHead = isSplit ? x : splitHeads(operation, x, third / (2 * half))
  const isInterleaved = operation.int('interleaved', 0) !== 0
  const heads = axisSize(perHead, 1)
  const parts = reshape(perHead, [batch, heads, length, ...(isInterleaved ? [half, 2] : [2, half])])
  const axis = isInterleaved ? 4 : 3
  const flat = [batch, heads, length, half]
  const [a, b] = [0, 1].map((i) => reshape(gather(parts, [i], axis), flat))
  // One position is that of the first element, which consecutive ones follow.
  const isOffset = elementCount(staticShape(positions)) === 1
  const counted = Array.from({ length }, (_, i) => i)
  const rows = isOffset ? add(reshape(positions, [1]), x.graph.integers(counted)) : positions
  const tableOf = (table: Value): Value =>
    reshape(apply('Gather', [table, rows]), [isOffset ? 1 : batch, 1, length, half])
  const [cos, sin] = [tableOf(cosines), tableOf(sines)]
  if (!a || !b) return []
  const turned = [sub(mul(a, cos), mul(b, sin)), add(mul(b, cos), mul(a, sin))]
  const joined = turned.map((one) =>
    reshape(one, [...flat.slice(0, 3), ...(isInterleaved ? [half, 1] : [1, half])]),
  )
  const whole = reshape(concatAll(joined, axis), [batch, heads, length, 2 * half])
  return [isSplit ? whole : reshape(transpose(whole, [0, 2, 1, 3]), shape)]
}

/** Operators that ONNX Runtime's optimizer writes, as those that it has replaced. */
export const fusedDecompositions: readonly (readonly [string, OperatorRewrite])[] = [
  ['com.microsoft.Attention', attention],
  ['com.microsoft.BiasGelu', (operation) => [gelu(add(operation.input(0), operation.input(1)))]],
  [
    'com.microsoft.FastGelu',
    (operation) => [gelu(plus(operation.input(0), operation.inputs[1]), 'tanh')],
  ],
  ['com.microsoft.FusedConv', fusedConv],
  ['com.microsoft.FusedMatMul', fusedMatMul],
  ['com.microsoft.Gelu', (operation) => [gelu(operation.input(0))]],
  ['com.microsoft.MultiHeadAttention', multiHeadAttention],
  [
    'com.microsoft.QuickGelu',
    (operation) => {
      const x = operation.input(0)
      return [mul(x, sigmoid(mul(x, operation.float('alpha', 1.702))))]
    },
  ],
  ['com.microsoft.RotaryEmbedding', rotaryEmbedding],
  [
    'com.microsoft.SkipLayerNormalization',
    skipNormalization(
      (operation, sum) => layerNorm(operation, sum, operation.input(2), operation.inputs[3]),
      4,
    ),
  ],
  [
    'com.microsoft.SkipSimplifiedLayerNormalization',
    skipNormalization(
      (operation, sum) => rootMeanSquareNorm(operation, sum, operation.input(2), 1e-12),
      3,
    ),
  ],
  [
    'SimplifiedLayerNormalization',
    (operation) => [rootMeanSquareNorm(operation, operation.input(0), operation.input(1), 1e-5)],
  ],
]
