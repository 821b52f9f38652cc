import type { Value } from '../../../src/ir/graph.ts'
import type { Attribute } from '../../../src/model/model.ts'
import { applyOperator } from '../../../src/ops/apply.ts'
import { add } from '../../../src/ops/builders.ts'
import type { Case, Draw } from '../check.ts'

type Attributes = Readonly<Record<string, Attribute>>

/** An operator of ONNX Runtime's optimizer, on inputs of which some may be absent. */
const fused = (
  operator: string,
  about: string,
  inputs: Case['inputs'],
  attributes: Attributes = {},
  arrange: (...values: Value[]) => readonly (Value | undefined)[] = (...values) => values,
): Case => ({
  operator: operator === 'SimplifiedLayerNormalization' ? operator : `com.microsoft.${operator}`,
  about,
  inputs,
  step: operator === 'MultiHeadAttention' ? 1 / 32 : 1 / 80,
  build: (...values: Value[]) => {
    const [first] = values as [Value]
    return applyOperator(first.graph, operator, arrange(...values), {
      domain: operator === 'SimplifiedLayerNormalization' ? '' : 'com.microsoft',
      attributes: new Map(Object.entries(attributes)),
    }).output()
  },
})

const rows = (draw: Draw): readonly number[] => [draw.size(2, 3), draw.size(2, 3), 8]
const image = (draw: Draw): readonly number[] => [draw.size(1, 2), 3, draw.size(4, 6), 5]

/** Three axes, as SkipLayerNormalization requires, and what is added and scaled. */
const normalized =
  (...more: readonly (readonly number[] | 'rows')[]): Case['inputs'] =>
  (draw) => {
    const shape = rows(draw)
    return [shape, ...more.map((one) => (one === 'rows' ? shape : one))]
  }

const skip: Case = {
  operator: 'com.microsoft.SkipLayerNormalization',
  about: 'with its sum',
  inputs: normalized('rows', [8], [8], [8]),
  build: (...inputs: Value[]) => {
    const [x] = inputs as [Value]
    const operation = applyOperator(x.graph, 'SkipLayerNormalization', inputs, {
      domain: 'com.microsoft',
      attributes: new Map([['epsilon', { float: 1e-3 }]]),
      outputs: ['normalized', '', '', 'sum'],
    })
    return add(operation.output(), operation.output(3))
  },
}

const positions = (x: Value, ids: readonly number[], shape: readonly number[]): Value =>
  x.graph.constant({ type: 'int64', shape, data: BigInt64Array.from(ids, BigInt) })

/** An int32 mask, or the lengths of the keys. */
const mask = (x: Value | undefined, data: readonly number[], shape: readonly number[]) =>
  x?.graph.constant({ type: 'int32', shape, data: Int32Array.from(data) })

/** x, weights and biases of two heads of four. */
const attentionInputs = () => [[2, 3, 6], [6, 24], [24]]

/** The tables of the angles' cosines and sines have a row for each position. */
const tables = [
  [6, 2],
  [6, 2],
] as const

export const fusedCases: readonly Case[] = [
  fused('Gelu', 'exact', (draw) => [rows(draw)]),
  fused('BiasGelu', 'with its bias', normalized([8])),
  fused('FastGelu', 'without bias', (draw) => [rows(draw)]),
  fused('FastGelu', 'with bias', normalized([8])),
  fused('QuickGelu', 'α 1.7', (draw) => [rows(draw)], { alpha: { float: 1.7 } }),
  fused(
    'FusedMatMul',
    'A transposed, α 0.5',
    () => [
      [4, 3],
      [4, 5],
    ],
    { transA: 1, alpha: { float: 0.5 } },
  ),
  fused(
    'FusedMatMul',
    'B transposed, batches',
    () => [
      [2, 3, 4],
      [2, 5, 4],
    ],
    { transB: 1 },
  ),
  fused('FusedConv', 'Tanh', (draw) => [image(draw), [4, 3, 3, 3], [4]], {
    activation: 'Tanh',
    kernel_shape: [3, 3],
    pads: [1, 1, 1, 1],
  }),
  fused('FusedConv', 'Sigmoid, without bias', (draw) => [image(draw), [4, 3, 3, 3]], {
    activation: 'Sigmoid',
    kernel_shape: [3, 3],
  }),
  fused('SimplifiedLayerNormalization', 'last axis', normalized([8]), {
    axis: -1,
    epsilon: { float: 1e-3 },
  }),
  fused('SkipLayerNormalization', 'without bias', normalized('rows', [8]), {
    epsilon: { float: 1e-3 },
  }),
  skip,
  fused('SkipSimplifiedLayerNormalization', 'with bias', normalized('rows', [8], [8]), {
    epsilon: { float: 1e-3 },
  }),
  fused(
    'MultiHeadAttention',
    'two heads',
    () => [
      [2, 3, 8],
      [2, 4, 8],
      [2, 4, 8],
    ],
    { num_heads: 2 },
  ),
  fused(
    'MultiHeadAttention',
    'biases and added scores',
    () => [[1, 3, 4], [1, 3, 4], [1, 3, 4], [12], [1, 2, 3, 3]],
    { num_heads: 2, scale: { float: 0.4 } },
    (q, k, v, bias, scores) => [q, k, v, bias, undefined, scores],
  ),
  fused(
    'MultiHeadAttention',
    'a mask of keys, causal',
    () => [
      [2, 3, 8],
      [2, 3, 8],
      [2, 3, 8],
    ],
    { num_heads: 2, unidirectional: 1 },
    (q, k, v) => [q, k, v, undefined, mask(q, [1, 1, 0, 1, 1, 1], [2, 3])],
  ),
  fused('Attention', 'two heads, causal', attentionInputs, { num_heads: 2, unidirectional: 1 }),
  fused('Attention', 'lengths of keys', attentionInputs, { num_heads: 2 }, (x, w, b) => [
    ...[x, w, b],
    mask(x, [3, 2], [2]),
  ]),
  fused(
    'Attention',
    'a mask of keys, scale, soft filter',
    attentionInputs,
    { num_heads: 2, scale: { float: 0.4 }, mask_filter_value: { float: -2 } },
    (x, w, b) => [x, w, b, mask(x, [1, 1, 0, 1, 0, 1], [2, 3])],
  ),
  fused(
    'Attention',
    'a mask of queries and keys, added scores, other widths',
    () => [[1, 3, 6], [6, 20], [20], [1, 2, 3, 3]],
    { num_heads: 2, qkv_hidden_sizes: [8, 8, 4] },
    (x, w, b, scores) => [
      ...[x, w, b, mask(x, [1, 0, 1, 1, 1, 0, 1, 1, 1], [1, 3, 3])],
      ...[undefined, scores],
    ],
  ),
  fused(
    'RotaryEmbedding',
    'one offset',
    () => [[2, 3, 8], ...tables],
    {},
    (x, cos, sin) => [x, x && positions(x, [1], [1]), cos, sin],
  ),
  fused(
    'RotaryEmbedding',
    'interleaved, four axes',
    () => [[2, 2, 3, 4], ...tables],
    { interleaved: 1 },
    (x, cos, sin) => [x, x && positions(x, [0, 2, 1, 5, 0, 3], [2, 3]), cos, sin],
  ),
]
