import type { Value } from '../../../src/ir/value.ts'
import type { Attribute } from '../../../src/model/model.ts'
import { apply } from '../../../src/ops/operations.ts'
import type { Case } from '../check.ts'

const pool = (
  operator: string,
  about: string,
  attributes: Readonly<Record<string, Attribute>>,
): Case => ({
  operator,
  about,
  inputs: (draw) => [[draw.size(1, 2), 2, draw.size(5, 8), draw.size(5, 8)]],
  build: (x: Value) => apply(operator, [x], attributes),
  values: operator.includes('Max') ? 'apart' : 'smooth',
})

const [two, three] = [{ kernel_shape: [2, 2] }, { kernel_shape: [3, 3] }]
const halves = { strides: [2, 2] }
const padded = { pads: [1, 1, 1, 1] }

/** Pooling over windows that lie apart, overlap, hang over the edge, and over whole images. */
export const pooling: readonly Case[] = [
  pool('MaxPool', '2×2, stride 2', { ...two, ...halves }),
  pool('MaxPool', '3×3, stride 2, overlapping, padded', { ...three, ...halves, ...padded }),
  pool('MaxPool', '3×3, stride 1, overlapping', { ...three, ...padded }),
  pool('MaxPool', 'dilation 2', { ...two, dilations: [2, 2] }),
  pool('MaxPool', 'ceil_mode', { ...three, ...halves, ceil_mode: 1 }),
  pool('AveragePool', '2×2, stride 2', { ...two, ...halves }),
  pool('AveragePool', '3×3, stride 2, padding counts', {
    ...three,
    ...halves,
    ...padded,
    count_include_pad: 1,
  }),
  pool('AveragePool', '3×3, stride 2, padding does not count', { ...three, ...halves, ...padded }),
  pool('AveragePool', 'ceil_mode', { ...three, ...halves, ceil_mode: 1 }),
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
