import type { Value } from '../../../src/ir/value.ts'
import type { Attribute } from '../../../src/model/model.ts'
import { applyOperator } from '../../../src/ops/apply.ts'
import { apply, mul } from '../../../src/ops/operations.ts'
import type { Case } from '../check.ts'

type Attributes = Readonly<Record<string, Attribute>>

/** A case on one input of a given shape, the first axis drawn; lists become constant inputs. */
const on = (
  operator: string,
  about: string,
  rest: readonly number[],
  {
    lists = [],
    attributes = {},
    values = 'smooth',
  }: {
    lists?: readonly (readonly number[])[]
    attributes?: Attributes
    values?: NonNullable<Case['values']>
  } = {},
): Case => ({
  operator,
  about,
  inputs: (draw) => [[draw.size(1, 3), ...rest]],
  build: (x: Value) =>
    apply(operator, [x, ...lists.map((list) => x.graph.integers(list))], attributes),
  values,
})

const reductions = ['ReduceSum', 'ReduceMean', 'ReduceMax'].flatMap((operator) => [
  on(operator, 'one axis, kept', [3, 4], { lists: [[1]], values: 'apart' }),
  on(operator, 'two axes, dropped', [3, 4], {
    lists: [[0, -1]],
    attributes: { keepdims: 0 },
    values: 'apart',
  }),
  on(operator, 'all axes', [3, 2], { values: 'apart' }),
])

const split = (about: string, lengths: readonly number[] | undefined): Case => ({
  operator: 'Split',
  about,
  inputs: (draw) => [[draw.size(1, 3), 7]],
  build: (x: Value) => {
    const operation = applyOperator(x.graph, 'Split', [x, lengths && x.graph.integers(lengths)], {
      attributes: new Map<string, number>([
        ['axis', 1],
        ...(lengths ? [] : ([['num_outputs', 3]] as const)),
      ]),
      outputs: ['a', 'b', 'c'],
    })
    return mul(operation.output(2), apply('ReduceSum', [operation.output(0)]))
  },
})

const gather = (
  about: string,
  indices: readonly number[],
  shape: readonly number[],
  axis: number,
): Case => ({
  operator: 'Gather',
  about,
  inputs: (draw) => [[4, draw.size(3, 4), 3]],
  build: (x: Value) =>
    apply(
      'Gather',
      [x, x.graph.constant({ type: 'int64', shape, data: BigInt64Array.from(indices, BigInt) })],
      { axis },
    ),
})

const resize = (
  mode: string,
  transformation: string,
  by: { scales: readonly number[] } | { sizes: readonly number[] },
  nearest = 'round_prefer_floor',
): Case => ({
  operator: 'Resize',
  about: `${mode}, ${transformation}, ${nearest}, ${Object.keys(by)[0]}`,
  inputs: (draw) => [[draw.size(1, 2), 2, 4, 5]],
  build: (x: Value) => {
    const scales =
      'scales' in by
        ? x.graph.constant({ type: 'float32', shape: [4], data: Float32Array.from(by.scales) })
        : undefined
    const target =
      'sizes' in by
        ? x.graph.integers([...x.shape.slice(0, 2).map(Number), ...by.sizes])
        : undefined
    return apply('Resize', [x, undefined, scales, target], {
      mode,
      coordinate_transformation_mode: transformation,
      nearest_mode: nearest,
    })
  },
})

/** Reductions, and operators that move elements. */
export const layout: readonly Case[] = [
  ...reductions,
  on('Reshape', '0 and −1', [3, 4], { lists: [[0, -1, 2]] }),
  on('Reshape', 'to a vector', [3, 4], { lists: [[-1]] }),
  on('Flatten', 'axis 1', [3, 4]),
  on('Flatten', 'axis −1', [3, 4], { attributes: { axis: -1 } }),
  on('Squeeze', 'named axes', [1, 3, 1], { lists: [[1, -1]] }),
  on('Squeeze', 'every axis of length 1', [2, 1, 3, 1]),
  on('Unsqueeze', 'front and back', [3], { lists: [[0, -1]] }),
  on('Unsqueeze', 'middle', [3], { lists: [[1]] }),
  on('Transpose', 'backwards', [3, 4]),
  on('Transpose', 'a permutation', [3, 4, 2], { attributes: { perm: [2, 0, 3, 1] } }),
  on('Slice', 'negative ends', [6, 5], {
    lists: [
      [1, -4],
      [-1, 5],
      [1, 2],
    ],
  }),
  on('Slice', 'step 2', [7, 5], { lists: [[1], [100], [1], [2]] }),
  on('Slice', 'step 3 to the end', [7, 5], { lists: [[0], [7], [1], [3]] }),
  on('Slice', 'backwards by 2', [7, 5], { lists: [[5], [-100], [1], [-2]] }),
  on('Expand', 'one axis', [1, 3], { lists: [[1, 4, 3]] }),
  on('Expand', 'axes in front', [3], { lists: [[2, 1, 1]] }),
  on('Pad', 'both sides', [3, 4], { lists: [[0, 1, 2, 0, 0, 3]] }),
  on('Pad', 'taking away', [3, 4], { lists: [[0, -1, 2, 0, 0, -2]] }),
  split('lengths given', [2, 4, 1]),
  split('equal parts, the last shorter', undefined),
  gather('one place', [2], [], 1),
  gather('some places twice', [0, 3, 3, -1, 1], [5], 0),
  gather('a matrix of places, middle axis', [0, 2, 2, 1, 0, 0], [2, 3], 1),
  resize('nearest', 'asymmetric', { scales: [1, 1, 2, 2] }, 'floor'),
  resize('nearest', 'half_pixel', { sizes: [7, 3] }),
  resize('nearest', 'half_pixel', { scales: [1, 1, 1.6, 0.7] }, 'round_prefer_ceil'),
  resize('nearest', 'asymmetric', { scales: [1, 1, 1.5, 1.5] }, 'ceil'),
  resize('linear', 'half_pixel', { scales: [1, 1, 2, 2] }),
  resize('linear', 'pytorch_half_pixel', { sizes: [3, 8] }),
  resize('linear', 'align_corners', { sizes: [7, 9] }),
  resize('linear', 'asymmetric', { scales: [1, 1, 1.7, 0.6] }),
  ...([0, 1] as const).map(
    (axis): Case => ({
      operator: 'Concat',
      about: `axis ${axis}`,
      inputs: (draw) =>
        axis === 0
          ? [
              [draw.size(1, 3), 2],
              [draw.size(1, 3), 2],
            ]
          : [
              [2, draw.size(1, 3)],
              [2, draw.size(1, 3)],
              [2, 1],
            ],
      build: (...parts: Value[]) => {
        const [first, ...rest] = parts
        if (!first) throw new TypeError('must have a part')
        return apply('Concat', [first, ...rest], { axis })
      },
    }),
  ),
]
