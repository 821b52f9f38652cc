import { projectedWidths } from '../analysis/shapes/fused.ts'
import type { Operation, Value } from '../ir/graph.ts'
import { axisSize, staticShape } from '../ir/value.ts'
import { elements } from '../model/data-type.ts'
import { apply } from '../ops/apply.ts'
import {
  add,
  cast,
  greater,
  less,
  matMul,
  mul,
  reshape,
  slice,
  sub,
  transpose,
  transposeMatrix,
} from '../ops/builders.ts'
import type { OperatorRewrite } from '../rewrites/import.ts'

/** batch × length × (heads · size) → batch × heads × length × size */
export function splitHeads(operation: Operation, x: Value, heads: number): Value {
  const [batch = 1, length = 1, width = 1] = staticShape(x)
  if (x.shape.length !== 3 || !(Number.isSafeInteger(heads) && heads >= 1 && width % heads === 0))
    throw operation.error(`must split [${x.shape}] into whole heads, but into ${heads}`)
  return transpose(reshape(x, [batch, length, heads, width / heads]), [0, 2, 1, 3])
}

/** What attention mixes, and what is added to its scores. */
interface AttentionInputs {
  /** Queries, keys and values: batch × length × (heads · size). */
  readonly query: Value
  readonly key: Value
  readonly value: Value
  /** Lengths of the keys, or 1 where a key is seen. */
  readonly mask: Value | undefined
  /** Added to the scores. */
  readonly bias: Value | undefined
}

/** softmax(α·Q·Kᵀ + bias + mask)·V for each head */
function mix(operation: Operation, { query, key, value, mask, bias }: AttentionInputs): Value {
  const heads = operation.int('num_heads', 1)
  const split = (x: Value): Value => splitHeads(operation, x, heads)
  const [q, k, v] = [split(query), split(key), split(value)]
  const scale = operation.float('scale', 0) || 1 / Math.sqrt(axisSize(q, 3))
  const products = mul(matMul(q, transposeMatrix(k)), scale)
  const biased = bias ? add(products, bias) : products
  const masked = mask ? add(biased, maskScores(operation, mask, axisSize(k, 2))) : biased
  const scores = operation.int('unidirectional', 0) === 0 ? masked : causal(masked)
  const mixed = matMul(apply('Softmax', [scores], { axis: -1 }), v)
  const [batch = 1, length = 1] = staticShape(query)
  return reshape(transpose(mixed, [0, 2, 1, 3]), [batch, length, axisSize(value, 2)])
}

/** 0 where a key is seen, and `mask_filter_value` elsewhere: batch × 1 × (1 or queries) × keys. */
function maskScores(operation: Operation, mask: Value, keys: number): Value {
  const shape = staticShape(mask)
  const [batch = 1] = shape
  const isSeen = (): Value => {
    if (shape.length === 1 && batch === axisSize(operation.input(0), 0)) {
      const data = elements(
        mask.type,
        Array.from({ length: keys }, (_, i) => i),
      )
      const positions = mask.graph.constant({ type: mask.type, shape: [1, 1, 1, keys], data })
      return less(positions, reshape(mask, [batch, 1, 1, 1]))
    }
    const queries = shape.length === 2 ? 1 : (shape[1] ?? 1)
    if ((shape.length === 2 || shape.length === 3) && shape.at(-1) === keys)
      return greater(reshape(mask, [batch, 1, queries, keys]), 0)
    throw operation.error(
      `a mask must be batch, batch × keys or batch × queries × keys to be differentiated, but is [${shape}]`,
    )
  }
  const hidden = sub(1, cast(isSeen(), 'float32'))
  return mul(hidden, operation.float('mask_filter_value', -1e4))
}

/** Scores of later positions are −10⁹. */
function causal(scores: Value): Value {
  const [rows = 1, columns = 1] = staticShape(scores).slice(-2)
  const data = Float32Array.from({ length: rows * columns }, (_, i) =>
    i % columns > Math.floor(i / columns) + columns - rows ? -1e9 : 0,
  )
  return add(scores, scores.graph.constant({ type: 'float32', shape: [rows, columns], data }))
}

/** Three equal or unequal parts of the last axis. */
function threeParts(x: Value, widths: readonly number[]): readonly Value[] {
  const axis = x.shape.length - 1
  let start = 0
  return widths.map((width) => {
    const end = start + width
    const part = slice(x, [{ axis, start, end }])
    start = end
    return part
  })
}

/** Attention of queries to keys and values that are inputs. */
export const multiHeadAttention: OperatorRewrite = (operation) => {
  const [q, k, v, biases, mask, bias] = operation.inputs
  if (!q || !k || !v || k.shape.length !== 3 || v.shape.length !== 3)
    throw operation.error('must have keys and values of three axes to be differentiated')
  if (operation.inputs.slice(6).some((input) => input))
    throw operation.error('must have no past to be differentiated')
  const widths = [q, k, v].map((x) => axisSize(x, 2))
  const parts = biases && threeParts(biases, widths)
  const [query = q, key = k, value = v] = parts
    ? [q, k, v].map((x, i) => add(x, parts[i] ?? 0))
    : []
  return [mix(operation, { query, key, value, mask, bias })]
}

/** Attention whose queries, keys and values are one product of the input: x·W + b */
export const attention: OperatorRewrite = (operation) => {
  const [x, weights] = [operation.input(0), operation.input(1)]
  const [, , biases, mask, past, bias] = operation.inputs
  if (past || operation.int('do_rotary', 0) !== 0)
    throw operation.error('must have no past and no rotation to be differentiated')
  const product = matMul(x, weights)
  const widths = projectedWidths(operation)
  const [query, key, value] = threeParts(biases ? add(product, biases) : product, widths)
  return query && key && value ? [mix(operation, { query, key, value, mask, bias })] : []
}
