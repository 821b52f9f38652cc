import type { Operation } from '../../ir/graph.ts'
import { axisSize } from '../../ir/value.ts'
import type { Dimension } from '../../model/model.ts'
import { convolutionShapes } from './convolution.ts'
import { broadcast, type ShapeRule, sameShape } from './shape-rule.ts'

/** Whether a FusedMatMul transposes an operand. */
export const isTransposed = (operation: Operation, operand: 'A' | 'B'): boolean =>
  operation.int(`trans${operand}`, 0) !== 0

const fusedMatMul: ShapeRule = (operation) => {
  const shapes = [operation.input(0), operation.input(1)].map(({ shape }, i) => {
    if (shape.length < 2) throw operation.error(`input ${i} must have two axes, but is [${shape}]`)
    return isTransposed(operation, i === 0 ? 'A' : 'B')
      ? [...shape.slice(0, -2), ...shape.slice(-2).toReversed()]
      : shape
  })
  const [a = [], b = []] = shapes
  const batch = broadcast(operation, a.slice(0, -2), b.slice(0, -2))
  const ends: readonly Dimension[] = [...a.slice(-2, -1), ...b.slice(-1)]
  return [{ type: operation.input(0).type, shape: [...batch, ...ends] }]
}

const fusedConv: ShapeRule = (operation) => convolutionShapes.Conv?.(operation) ?? []

/** The normalized sum, two statistics of each row, and the sum itself. */
const skipNormalization: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  const rows = [...shape.slice(0, -1), 1]
  return [
    { type, shape },
    { type: 'float32', shape: rows },
    { type: 'float32', shape: rows },
    { type, shape },
  ]
}

/** Queries, keys and values: batch × length × (heads · size). */
const multiHeadAttention: ShapeRule = (operation) => {
  const query = operation.input(0)
  const [batch = 1, length = 1] = query.shape
  const size = operation.inputs[2]?.shape.at(-1) ?? query.shape.at(-1) ?? 1
  return [{ type: query.type, shape: [batch, length, size] }]
}

/** The lengths of the projected queries, keys and values of an Attention. */
export function projectedWidths(operation: Operation): readonly number[] {
  const total = axisSize(operation.input(1), 1)
  return operation.ints('qkv_hidden_sizes') ?? [total / 3, total / 3, total / 3]
}

/** The mixed values, and the keys and values of all steps if there are none of the past. */
const attention: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  const [batch = 1, length = 1] = shape
  const heads = operation.int('num_heads', 1)
  const widths = projectedWidths(operation)
  const [query = 1, key = 1, value = 1] = widths
  if (widths.length !== 3 || query !== key || widths.some((width) => !(width % heads === 0)))
    throw operation.error(
      `queries, keys and values must be multiples of ${heads} heads, but are [${widths}]`,
    )
  const mixed = { type, shape: [batch, length, value] }
  if (operation.inputs[4]) return [mixed]
  return [mixed, { type, shape: [2, batch, heads, length, key / heads] }]
}

/** Shapes of operators that ONNX Runtime's optimizer writes. */
export const fusedShapes: Readonly<Record<string, ShapeRule>> = {
  SimplifiedLayerNormalization: sameShape,
  'com.microsoft.Attention': attention,
  'com.microsoft.BiasGelu': sameShape,
  'com.microsoft.FastGelu': sameShape,
  'com.microsoft.FusedConv': fusedConv,
  'com.microsoft.FusedMatMul': fusedMatMul,
  'com.microsoft.Gelu': sameShape,
  'com.microsoft.MultiHeadAttention': multiHeadAttention,
  'com.microsoft.QuickGelu': sameShape,
  'com.microsoft.RotaryEmbedding': sameShape,
  'com.microsoft.SkipLayerNormalization': skipNormalization,
  'com.microsoft.SkipSimplifiedLayerNormalization': skipNormalization,
}
