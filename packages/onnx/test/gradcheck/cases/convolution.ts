import type { Value } from '../../../src/ir/graph.ts'
import { type Lowering, referenceLowering } from '../../../src/ir/lowering.ts'
import type { Attribute } from '../../../src/model/model.ts'
import { apply } from '../../../src/ops/apply.ts'
import type { Case } from '../check.ts'

interface ConvCase {
  readonly about: string
  readonly image: readonly [low: number, high: number]
  readonly kernel: readonly number[]
  readonly groups?: number
  readonly perGroup?: number
  readonly outputs?: number
  readonly bias?: boolean
  readonly attributes?: Readonly<Record<string, Attribute>>
}

const convs: readonly ConvCase[] = [
  {
    about: '3×3, padded, bias',
    image: [5, 8],
    kernel: [3, 3],
    bias: true,
    attributes: { pads: [1, 1, 1, 1] },
  },
  {
    about: '3×3, stride 2, odd and even sizes',
    image: [6, 9],
    kernel: [3, 3],
    attributes: { pads: [1, 1, 1, 1], strides: [2, 2] },
  },
  {
    about: '7×7, stride 2',
    image: [10, 13],
    kernel: [7, 7],
    attributes: { pads: [3, 3, 3, 3], strides: [2, 2] },
  },
  {
    about: 'an image of one pixel',
    image: [1, 1],
    kernel: [3, 3],
    attributes: { pads: [1, 1, 1, 1] },
  },
  { about: '1×1', image: [3, 6], kernel: [1, 1] },
  { about: '1×1, stride 2', image: [5, 8], kernel: [1, 1], attributes: { strides: [2, 2] } },
  {
    about: 'dilation 2',
    image: [8, 10],
    kernel: [3, 3],
    attributes: { pads: [2, 2, 2, 2], dilations: [2, 2] },
  },
  {
    about: 'dilation 2, stride 2',
    image: [9, 12],
    kernel: [3, 3],
    attributes: { pads: [1, 1, 1, 1], dilations: [2, 2], strides: [2, 2] },
  },
  {
    about: '3 groups',
    image: [5, 8],
    kernel: [3, 3],
    groups: 3,
    perGroup: 2,
    outputs: 6,
    bias: true,
    attributes: { pads: [1, 1, 1, 1], strides: [2, 2] },
  },
  {
    about: 'depthwise',
    image: [5, 8],
    kernel: [3, 3],
    groups: 4,
    perGroup: 1,
    outputs: 4,
    attributes: { pads: [1, 1, 1, 1] },
  },
  {
    about: 'uneven kernel, stride and pads',
    image: [7, 9],
    kernel: [2, 3],
    attributes: { pads: [0, 1, 1, 2], strides: [2, 1] },
  },
  { about: 'one axis', image: [7, 9], kernel: [3], attributes: { pads: [1, 1], strides: [2] } },
  {
    about: 'auto_pad SAME_UPPER',
    image: [6, 9],
    kernel: [3, 3],
    attributes: { auto_pad: 'SAME_UPPER', strides: [2, 2] },
  },
]

const conv = (form: ConvCase, suffix: string, lowering: Partial<Lowering>): Case => {
  const { groups = 1, perGroup = 3, outputs = 4, bias = false, attributes = {} } = form
  return {
    operator: 'Conv',
    about: `${form.about}${suffix}`,
    inputs: (draw) => [
      [draw.size(1, 3), groups * perGroup, ...form.kernel.map(() => draw.size(...form.image))],
      [outputs, perGroup, ...form.kernel],
      ...(bias ? [[outputs]] : []),
    ],
    build: (x: Value, w: Value, b?: Value) =>
      apply('Conv', [x, w, b], { ...attributes, group: groups, kernel_shape: form.kernel }),
    lowering,
  }
}

const transposed = (
  about: string,
  [groups, perGroup, bias]: readonly [number, number, boolean],
  attributes: Readonly<Record<string, Attribute>>,
): Case => ({
  operator: 'ConvTranspose',
  about,
  inputs: (draw) => [
    [draw.size(1, 3), 4, draw.size(3, 6), draw.size(3, 6)],
    [4, perGroup, 3, 3],
    ...(bias ? [[groups * perGroup]] : []),
  ],
  build: (x: Value, w: Value, b?: Value) =>
    apply('ConvTranspose', [x, w, b], { ...attributes, group: groups }),
})

/** Convolutions, in every lowering of their gradients. */
const convolutions: readonly Case[] = [
  ...convs.flatMap((form) => [
    conv(form, '', { productUpTo: 0 }),
    conv(form, ' · slices', { weightGradient: 'slices', imageGradient: 'transposed' }),
    conv(form, ' · taps', { weightGradient: 'taps' }),
    conv(form, ' · flipped', { imageGradient: 'flipped' }),
    conv(form, ' · convolution', referenceLowering),
  ]),
  transposed('stride 1', [1, 3, true], { pads: [1, 1, 1, 1] }),
  transposed('stride 2, output_padding', [1, 3, false], {
    pads: [1, 1, 1, 1],
    strides: [2, 2],
    output_padding: [1, 1],
  }),
  transposed('auto_pad SAME_UPPER', [1, 2, true], { auto_pad: 'SAME_UPPER', strides: [2, 2] }),
  transposed('auto_pad SAME_LOWER', [1, 2, false], { auto_pad: 'SAME_LOWER', strides: [2, 2] }),
  transposed('auto_pad SAME_UPPER, stride 1', [2, 1, false], { auto_pad: 'SAME_UPPER' }),
  transposed('auto_pad VALID', [1, 2, false], { auto_pad: 'VALID', strides: [2, 1] }),
  ...['NOTSET', 'SAME_UPPER', 'SAME_LOWER'].map(
    (auto_pad): Case => ({
      operator: 'ConvTranspose',
      about: `output_shape, ${auto_pad}`,
      inputs: () => [
        [2, 4, 3, 4],
        [4, 2, 3, 3],
      ],
      build: (x: Value, w: Value) =>
        apply('ConvTranspose', [x, w], { auto_pad, strides: [2, 2], output_shape: [6, 9] }),
    }),
  ),
  transposed('2 groups, bias', [2, 2, true], { strides: [2, 2] }),
  transposed('dilation 2', [1, 2, false], { dilations: [2, 2], pads: [0, 1, 1, 0] }),
]

const pool = (
  operator: string,
  about: string,
  attributes: Readonly<Record<string, Attribute>>,
): Case => ({
  operator,
  about,
  inputs: (draw) => [[draw.size(1, 2), 2, draw.size(5, 8), draw.size(5, 8)]],
  build: (x: Value) => apply(operator, [x], attributes),
  values: operator.includes('Max') || attributes.p === 1 ? 'apart' : 'smooth',
})

const [two, three] = [{ kernel_shape: [2, 2] }, { kernel_shape: [3, 3] }]
const stride2 = { strides: [2, 2] }
const padded = { pads: [1, 1, 1, 1] }

/** Pooling over disjoint and overlapping windows, beyond the edge, and over whole images. */
const pooling: readonly Case[] = [
  pool('MaxPool', '2×2, stride 2', { ...two, ...stride2 }),
  pool('MaxPool', '3×3, stride 2, overlapping, padded', { ...three, ...stride2, ...padded }),
  pool('MaxPool', '3×3, stride 1, overlapping', { ...three, ...padded }),
  pool('MaxPool', 'dilation 2', { ...two, dilations: [2, 2] }),
  pool('MaxPool', 'ceil_mode', { ...three, ...stride2, ceil_mode: 1 }),
  pool('AveragePool', '2×2, stride 2', { ...two, ...stride2 }),
  pool('AveragePool', '3×3, stride 2, padding counts', {
    ...three,
    ...stride2,
    ...padded,
    count_include_pad: 1,
  }),
  pool('AveragePool', '3×3, stride 2, padding does not count', { ...three, ...stride2, ...padded }),
  pool('AveragePool', 'ceil_mode', { ...three, ...stride2, ceil_mode: 1 }),
  pool('LpPool', 'p 2', { ...three, ...stride2, ...padded }),
  pool('LpPool', 'p 3, ceil_mode', { ...three, ...stride2, p: 3, ceil_mode: 1 }),
  pool('LpPool', 'p 1, SAME_UPPER', { ...two, ...stride2, p: 1, auto_pad: 'SAME_UPPER' }),
  pool('LpPool', 'dilation 2', { ...two, dilations: [2, 2] }),
  pool('GlobalLpPool', 'p 2', {}),
  pool('GlobalLpPool', 'p 3', { p: 3 }),
  pool('GlobalAveragePool', 'two axes', {}),
  pool('GlobalMaxPool', 'two axes', {}),
  ...['GlobalAveragePool', 'GlobalMaxPool'].map(
    (operator): Case => ({
      operator,
      about: 'one axis',
      inputs: (draw) => [[draw.size(1, 3), 3, draw.size(2, 6)]],
      build: (x: Value) => apply(operator, [x]),
      values: 'apart',
    }),
  ),
]

/** Convolutions and pooling. */
export const convolutionCases: readonly Case[] = [...convolutions, ...pooling]
