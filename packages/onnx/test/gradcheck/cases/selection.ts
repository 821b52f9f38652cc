import type { Value } from '../../../src/ir/graph.ts'
import type { Attribute } from '../../../src/model/model.ts'
import { elementCount } from '../../../src/model/model.ts'
import { seeded } from '../../../src/nn/initializers.ts'
import { apply, applyOperator } from '../../../src/ops/apply.ts'
import { add, mul } from '../../../src/ops/builders.ts'
import type { Case } from '../check.ts'
import { onOneInput } from './reduction.ts'

const int64 = (x: Value, shape: readonly number[], data: readonly number[]): Value =>
  x.graph.constant({ type: 'int64', shape, data: BigInt64Array.from(data, BigInt) })

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

/** A gather from an input, 3 × 4 × 3, by a constant tensor of indices. */
const gatherFrom = (
  operator: string,
  about: string,
  [shape, data]: readonly [shape: readonly number[], data: readonly number[]],
  attributes: Readonly<Record<string, Attribute>> = {},
): Case => ({
  operator,
  about,
  inputs: () => [[3, 4, 3]],
  build: (x: Value) => apply(operator, [x, int64(x, shape, data)], attributes),
})

/** A scatter of updates into an input, 3 × 4, by a constant tensor of indices. */
const scatter = (
  operator: string,
  about: string,
  [shape, data]: readonly [shape: readonly number[], data: readonly number[]],
  updates: readonly number[],
  attributes: Readonly<Record<string, Attribute>> = {},
): Case => ({
  operator,
  about,
  inputs: () => [[3, 4], updates],
  build: (x: Value, u: Value) =>
    apply(operator, [x, int64(x, shape, data), add(u, 1 / 16)], attributes),
  values: attributes.reduction === 'mul' ? 'smooth' : 'apart',
})

const topK = (about: string, k: number, attributes: Readonly<Record<string, Attribute>>): Case => ({
  operator: 'TopK',
  about,
  inputs: (draw) => [[draw.size(2, 3), 5, 4]],
  build: (x: Value) =>
    applyOperator(x.graph, 'TopK', [x, x.graph.integers([k])], {
      attributes: new Map(Object.entries(attributes)),
      outputs: ['values', 'indices'],
    }).output(),
  values: 'apart',
})

const matrix = [
  [2, 3],
  [2, 0, 0, 1, -1, 2],
] as const
const rows = [
  [3, 2],
  [0, 1, 2, 3, 1, -4],
] as const
const twice = [
  [2, 4],
  [1, 1, 2, 0, 1, 0, 2, 0],
] as const

/** Points within and beyond the image, away from the pixels' centres and edges, where gradients jump. */
const gridSample = (
  about: string,
  space: readonly number[],
  attributes: Readonly<Record<string, Attribute>>,
): Case => ({
  operator: 'GridSample',
  about,
  inputs: (draw) => [
    [2, draw.size(1, 3), ...space],
    [2, ...space.map(() => 3), space.length],
  ],
  build: (x: Value, grid: Value) => {
    const scale = 1 / 32
    const random = seeded(3)
    const shape = grid.shape.map(Number)
    const at = Float32Array.from({ length: elementCount(shape) }, (_, i) => {
      const size = space[space.length - 1 - (i % space.length)] ?? 1
      const edges = attributes.align_corners ? size - 1 : size
      const pixel = Math.floor(random.uniform() * (size + 4)) - 2
      const part = 0.2 + 0.2 * random.uniform() + (random.uniform() < 0.5 ? 0.4 : 0)
      return (2 * (pixel + part + (attributes.align_corners ? 0 : 0.5))) / edges - 1
    })
    const base = grid.graph.constant({ type: 'float32', shape, data: at })
    return apply('GridSample', [x, add(base, mul(grid, scale))], attributes)
  },
  step: attributes.mode === 'cubic' ? 1 / 4 : 1 / 16,
})

const unpool = (about: string, attributes: Readonly<Record<string, Attribute>>): Case => ({
  operator: 'MaxUnpool',
  about,
  inputs: () => [[1, 2, 6, 4]],
  build: (x: Value) => {
    const pooled = applyOperator(x.graph, 'MaxPool', [x], {
      attributes: new Map(Object.entries(attributes)),
      outputs: ['maxima', 'indices'],
    })
    return apply('MaxUnpool', [pooled.output(), pooled.output(1)], attributes)
  },
  values: 'apart',
})

/** Operators that select, replace or accumulate elements by their index. */
export const selectionCases: readonly Case[] = [
  gather('one place', [2], [], 1),
  gather('some places twice', [0, 3, 3, -1, 1], [5], 0),
  gather('a matrix of places, middle axis', [0, 2, 2, 1, 0, 0], [2, 3], 1),
  gatherFrom('GatherElements', 'the first axis', [
    [2, 3, 3],
    [0, 1, 2, 2, 2, 2, 0, 0, 0, 1, 0, 2, 1, 0, -1, -1, 0, 1],
  ]),
  gatherFrom(
    'GatherElements',
    'the last axis',
    [
      [3, 1, 2],
      [0, 0, 1, 2, -1, -1],
    ],
    { axis: -1 },
  ),
  gatherFrom('GatherND', 'rows', [
    [2, 2],
    [0, 1, 2, 3],
  ]),
  gatherFrom('GatherND', 'elements, some twice', [
    [2, 2, 3],
    [0, 1, 2, 2, 3, 0, 2, 3, 0, -1, -1, -1],
  ]),
  gatherFrom(
    'GatherND',
    'batches',
    [
      [3, 2, 1],
      [0, 1, 3, 3, 2, 0],
    ],
    { batch_dims: 1 },
  ),
  scatter('ScatterElements', 'in place', matrix, [2, 3]),
  scatter(
    'ScatterElements',
    'in place, axis 1',
    [
      [3, 1],
      [0, 3, 2],
    ],
    [3, 1],
    { axis: 1 },
  ),
  scatter('ScatterElements', 'added, some twice', twice, [2, 4], { reduction: 'add' }),
  scatter('ScatterElements', 'maximum', twice, [2, 4], { reduction: 'max' }),
  scatter('ScatterElements', 'minimum', matrix, [2, 3], { reduction: 'min' }),
  scatter('ScatterElements', 'multiplied, some twice', twice, [2, 4], { reduction: 'mul' }),
  {
    ...scatter('ScatterElements', 'multiplied, by zeros', twice, [2, 4], {}),
    build: (x: Value, u: Value) => {
      const data = Float32Array.of(0, 1, 1, 0, 0, 1, 0, 1)
      const mask = x.graph.constant({ type: 'float32', shape: [2, 4], data })
      const indices = int64(x, ...twice)
      return apply('ScatterElements', [x, indices, mul(u, mask)], { reduction: 'mul' })
    },
  },
  scatter('ScatterND', 'multiplied', rows, [3], { reduction: 'mul' }),
  scatter('ScatterND', 'in place', rows, [3]),
  scatter(
    'ScatterND',
    'rows in place',
    [
      [2, 1],
      [2, 0],
    ],
    [2, 4],
  ),
  scatter(
    'ScatterND',
    'added, some twice',
    [
      [3, 2],
      [0, 1, 2, 3, 0, 1],
    ],
    [3],
    { reduction: 'add' },
  ),
  scatter('ScatterND', 'maximum', rows, [3], { reduction: 'max' }),
  scatter(
    'ScatterND',
    'minimum of rows',
    [
      [2, 1],
      [2, 0],
    ],
    [2, 4],
    { reduction: 'min' },
  ),
  ...['linear', 'nearest', 'cubic'].flatMap((mode) =>
    ['zeros', 'border', 'reflection'].flatMap((padding_mode) =>
      [0, 1].map((align_corners) =>
        gridSample(`${mode}, ${padding_mode}${align_corners ? ', align_corners' : ''}`, [4, 5], {
          mode,
          padding_mode,
          align_corners,
        }),
      ),
    ),
  ),
  gridSample('three axes', [3, 4, 2], {}),
  gridSample('three axes, nearest', [3, 4, 2], { mode: 'nearest', padding_mode: 'border' }),
  ...[0, 1].flatMap((align_corners) =>
    [
      [3, 4],
      [2, 3, 2],
    ].map(
      (space): Case => ({
        operator: 'AffineGrid',
        about: `${space.length} axes${align_corners ? ', align_corners' : ''}`,
        inputs: (draw) => [[draw.size(1, 3), space.length, space.length + 1]],
        build: (theta: Value) =>
          apply(
            'AffineGrid',
            [theta, theta.graph.integers([Number(theta.shape[0]), 2, ...space])],
            {
              align_corners,
            },
          ),
      }),
    ),
  ),
  ...[0, 1].map(
    (batch_axis): Case => ({
      operator: 'ReverseSequence',
      about: `batch axis ${batch_axis}`,
      inputs: () => [[4, 4, 2]],
      build: (x: Value) =>
        apply('ReverseSequence', [x, x.graph.integers([1, 3, 4, 2])], {
          batch_axis,
          time_axis: 1 - batch_axis,
        }),
    }),
  ),
  unpool('2×2', { kernel_shape: [2, 2], strides: [2, 2] }),
  unpool('3×1', { kernel_shape: [3, 1], strides: [3, 1] }),
  topK('two largest of the last axis', 2, {}),
  topK('three smallest of the middle axis', 3, { axis: 1, largest: 0 }),
  topK('unsorted', 3, { axis: 1, sorted: 0 }),
  ...[{}, { exclusive: 1 }, { reverse: 1 }, { exclusive: 1, reverse: 1 }].map(
    (attributes): Case => ({
      operator: 'CumSum',
      about: Object.keys(attributes).join(', ') || 'any shape',
      inputs: (draw) => [[draw.size(2, 4), draw.size(2, 5)]],
      build: (x: Value) => apply('CumSum', [x, x.graph.scalar(1, 'int64')], attributes),
    }),
  ),
  onOneInput('Trilu', 'the upper triangle', [4, 3]),
  ...[-1, 1].map(
    (k): Case => ({
      operator: 'Trilu',
      about: `the lower triangle, k ${k}`,
      inputs: (draw) => [[draw.size(1, 3), 3, 4]],
      build: (x: Value) => apply('Trilu', [x, x.graph.scalar(k, 'int64')], { upper: 0 }),
    }),
  ),
  ...[-1, 0].map(
    (axis): Case => ({
      operator: 'OneHot',
      about: `values, axis ${axis}`,
      inputs: () => [[2]],
      build: (values: Value) =>
        apply('OneHot', [int64(values, [3], [1, 0, 3]), values.graph.scalar(4, 'int64'), values], {
          axis,
        }),
    }),
  ),
]
