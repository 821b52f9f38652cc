import type { Operation } from '../../ir/graph.ts'
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

/** Shapes of operators that ONNX Runtime's optimizer writes. */
export const fusedShapes: Readonly<Record<string, ShapeRule>> = {
  SimplifiedLayerNormalization: sameShape,
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
