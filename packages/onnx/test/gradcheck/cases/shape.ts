import type { Value } from '../../../src/ir/graph.ts'
import type { Attribute } from '../../../src/model/model.ts'
import { apply, applyOperator } from '../../../src/ops/apply.ts'
import { mul } from '../../../src/ops/builders.ts'
import type { Case } from '../check.ts'
import { onOneInput } from './reduction.ts'

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

const resize = (
  mode: string,
  transformation: string,
  by: { scales: readonly number[] } | { sizes: readonly number[] },
  nearest = 'round_prefer_floor',
  attributes: Readonly<Record<string, Attribute>> = {},
): Case => ({
  operator: 'Resize',
  about: [mode, transformation, nearest, Object.keys(by)[0], ...Object.keys(attributes)].join(', '),
  inputs: (draw) => [['scales' in by && by.scales[0] !== 1 ? 1 : draw.size(1, 2), 2, 4, 5]],
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
      ...attributes,
    })
  },
})

/** Operators that reorder, cut, repeat or insert elements. */
export const shapeCases: readonly Case[] = [
  onOneInput('Reshape', '0 and −1', [3, 4], { lists: [[0, -1, 2]] }),
  onOneInput('Reshape', 'to a vector', [3, 4], { lists: [[-1]] }),
  onOneInput('Flatten', 'axis 1', [3, 4]),
  onOneInput('Flatten', 'axis −1', [3, 4], { attributes: { axis: -1 } }),
  onOneInput('Squeeze', 'named axes', [1, 3, 1], { lists: [[1, -1]] }),
  onOneInput('Squeeze', 'every axis of length 1', [2, 1, 3, 1]),
  onOneInput('Unsqueeze', 'front and back', [3], { lists: [[0, -1]] }),
  onOneInput('Unsqueeze', 'middle', [3], { lists: [[1]] }),
  onOneInput('Transpose', 'backwards', [3, 4]),
  onOneInput('Transpose', 'a permutation', [3, 4, 2], { attributes: { perm: [2, 0, 3, 1] } }),
  onOneInput('Slice', 'negative ends', [6, 5], {
    lists: [
      [1, -4],
      [-1, 5],
      [1, 2],
    ],
  }),
  onOneInput('Slice', 'step 2', [7, 5], { lists: [[1], [100], [1], [2]] }),
  onOneInput('Slice', 'step 3 to the end', [7, 5], { lists: [[0], [7], [1], [3]] }),
  onOneInput('Slice', 'backwards by 2', [7, 5], { lists: [[5], [-100], [1], [-2]] }),
  onOneInput('Expand', 'one axis', [1, 3], { lists: [[1, 4, 3]] }),
  onOneInput('Expand', 'axes in front', [3], { lists: [[2, 1, 1]] }),
  onOneInput('Pad', 'both sides', [3, 4], { lists: [[0, 1, 2, 0, 0, 3]] }),
  onOneInput('Pad', 'taking away', [3, 4], { lists: [[0, -1, 2, 0, 0, -2]] }),
  {
    operator: 'Pad',
    about: 'with a constant that is an input',
    inputs: (draw) => [[draw.size(1, 3), 4], []],
    build: (x: Value, value: Value) => apply('Pad', [x, x.graph.integers([0, 1, 2, -1]), value]),
  },
  ...['reflect', 'edge', 'wrap'].flatMap((mode) => [
    onOneInput('Pad', `${mode}, an image`, [2, 5, 4], {
      lists: [[0, 0, 2, 1, 0, 0, 3, 3]],
      attributes: { mode },
    }),
    onOneInput('Pad', `${mode}, one side`, [4], { lists: [[0, 2, 0, 0]], attributes: { mode } }),
  ]),
  onOneInput('Pad', 'wrap, many runs', [4, 2], {
    lists: [[0, 0, 0, 0, 0, 40]],
    attributes: { mode: 'wrap' },
  }),
  onOneInput('CenterCropPad', 'smaller and larger', [5, 4], {
    lists: [[2, 7]],
    attributes: { axes: [1, 2] },
  }),
  onOneInput('CenterCropPad', 'odd differences', [6, 3], {
    lists: [[6, 1]],
    attributes: { axes: [-1, 1] },
  }),
  onOneInput('Tile', 'two axes', [3, 2], { lists: [[1, 2, 3]] }),
  onOneInput('Tile', 'the first axis', [4], { lists: [[3, 1]] }),
  onOneInput('DepthToSpace', 'blocks of depth', [8, 2, 3], { attributes: { blocksize: 2 } }),
  onOneInput('DepthToSpace', 'columns of depth', [18, 2, 1], {
    attributes: { blocksize: 3, mode: 'CRD' },
  }),
  onOneInput('SpaceToDepth', 'blocks of 2', [3, 4, 6], { attributes: { blocksize: 2 } }),
  onOneInput('SpaceToDepth', 'blocks of 3', [2, 3, 6], { attributes: { blocksize: 3 } }),
  split('lengths given', [2, 4, 1]),
  split('equal parts, the last shorter', undefined),
  resize('nearest', 'asymmetric', { scales: [1, 1, 2, 2] }, 'floor'),
  resize('nearest', 'half_pixel', { sizes: [7, 3] }),
  resize('nearest', 'half_pixel', { scales: [1, 1, 1.6, 0.7] }, 'round_prefer_ceil'),
  resize('nearest', 'asymmetric', { scales: [1, 1, 1.5, 1.5] }, 'ceil'),
  resize('linear', 'half_pixel', { scales: [1, 1, 2, 2] }),
  resize('linear', 'pytorch_half_pixel', { sizes: [3, 8] }),
  resize('nearest', 'half_pixel', { scales: [3, 1, 1, 2] }),
  resize('linear', 'align_corners', { sizes: [7, 9] }),
  resize('linear', 'asymmetric', { scales: [1, 1, 1.7, 0.6] }),
  resize('linear', 'half_pixel_symmetric', { scales: [1, 1, 1.7, 0.6] }),
  resize('cubic', 'half_pixel', { scales: [1, 1, 2, 2] }),
  resize('linear', 'half_pixel', { scales: [1, 1, 1.1, 1.6] }),
  resize('cubic', 'align_corners', { sizes: [7, 3] }),
  resize('cubic', 'asymmetric', { scales: [1, 1, 1.7, 0.6] }, 'floor', {
    cubic_coeff_a: { float: -0.5 },
  }),
  resize('cubic', 'pytorch_half_pixel', { sizes: [3, 8] }, 'floor', { exclude_outside: 1 }),
  resize('linear', 'half_pixel', { sizes: [2, 3] }, 'floor', { antialias: 1 }),
  resize('linear', 'half_pixel', { sizes: [7, 3] }, 'floor', { antialias: 1 }),
  resize('cubic', 'half_pixel', { sizes: [2, 3] }, 'floor', {
    antialias: 1,
    exclude_outside: 1,
  }),
  ...['not_larger', 'not_smaller'].map(
    (policy): Case => ({
      operator: 'Resize',
      about: policy,
      inputs: () => [[1, 2, 4, 5]],
      build: (x: Value) =>
        apply('Resize', [x, undefined, undefined, x.graph.integers([7, 7])], {
          mode: 'linear',
          axes: [2, 3],
          keep_aspect_ratio_policy: policy,
        }),
    }),
  ),
  ...['linear', 'nearest'].map(
    (mode): Case => ({
      operator: 'Resize',
      about: `${mode}, a region`,
      inputs: () => [[1, 2, 4, 5]],
      build: (x: Value) => {
        const data = Float32Array.of(0, 0, 0.2, -0.3, 1, 1, 0.8, 0.7)
        const region = x.graph.constant({ type: 'float32', shape: [8], data })
        return apply('Resize', [x, region, undefined, x.graph.integers([1, 2, 4, 6])], {
          mode,
          coordinate_transformation_mode: 'tf_crop_and_resize',
          extrapolation_value: { float: 2 },
        })
      },
    }),
  ),
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
      build: (...inputs: Value[]) => {
        const [first, ...rest] = inputs
        if (!first) throw new TypeError('must have an input')
        return apply('Concat', [first, ...rest], { axis })
      },
    }),
  ),
]
