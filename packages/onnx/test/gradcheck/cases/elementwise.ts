import type { Value } from '../../../src/ir/graph.ts'
import type { Attribute } from '../../../src/model/model.ts'
import { apply } from '../../../src/ops/apply.ts'
import { add, cast, mul, pow, sub, where } from '../../../src/ops/builders.ts'
import type { Case, Draw } from '../check.ts'

const shape = (draw: Draw): readonly number[] => [draw.size(1, 3), draw.size(2, 5), draw.size(1, 4)]

const unary = (
  operator: string,
  values: NonNullable<Case['values']> = 'smooth',
  attributes: Readonly<Record<string, Attribute>> = {},
): Case => ({
  operator,
  about: Object.keys(attributes).join(', ') || 'any shape',
  inputs: (draw) => [shape(draw)],
  build: (x: Value) => apply(operator, [x], attributes),
  values,
})

const binary = (
  operator: string,
  values: NonNullable<Case['values']> = 'smooth',
): readonly Case[] => [
  {
    operator,
    about: 'equal shapes',
    inputs: (draw) => {
      const s = shape(draw)
      return [s, s]
    },
    build: (a: Value, b: Value) => apply(operator, [a, b]),
    values,
  },
  {
    operator,
    about: 'broadcast both ways',
    inputs: (draw) => {
      const [a, b] = [draw.size(2, 4), draw.size(2, 4)]
      return [
        [a, 1, b],
        [3, 1],
      ]
    },
    build: (a: Value, b: Value) => apply(operator, [a, b]),
    values,
  },
]

/** The inputs are offset from each other, so that no finite difference changes which one is the minimum. */
const variadic = (operator: string): Case => ({
  operator,
  about: 'three inputs, broadcast',
  inputs: (draw) => [[draw.size(2, 4), 3], [3], [1]],
  build: (a: Value, b: Value, c: Value) => apply(operator, [a, add(b, 1 / 24), add(c, 1 / 12)]),
  values: 'apart',
})

/** Moves the second input away from the first. */
const offset = (one: Case): Case => ({
  ...one,
  build: (a: Value, b: Value) => one.build(a, add(b, 1 / 16)),
  values: 'apart',
})

const bounds = (x: Value, low: number | undefined, high: number | undefined): Value =>
  apply('Clip', [
    x,
    low === undefined ? undefined : x.graph.scalar(low),
    high === undefined ? undefined : x.graph.scalar(high),
  ])

/** Operators on single elements, or on elements of broadcast operands at the same index. */
export const elementwiseCases: readonly Case[] = [
  ...['Neg', 'Exp', 'Erf', 'Tanh', 'Sigmoid', 'Sin', 'Cos', 'Softplus', 'Mish', 'Identity'].map(
    (operator) => unary(operator),
  ),
  ...['Sqrt', 'Log', 'Reciprocal'].map((operator) => unary(operator, 'positive')),
  ...['Abs', 'Relu', 'LeakyRelu', 'Elu', 'HardSigmoid', 'HardSwish'].map((operator) =>
    unary(operator, 'apart'),
  ),
  unary('LeakyRelu', 'apart', { alpha: { float: 0.3 } }),
  unary('Elu', 'apart', { alpha: { float: 0.7 } }),
  // Its kinks, at −1.25 and 1.875, are midway between drawn elements.
  unary('HardSigmoid', 'apart', { alpha: { float: 0.32 }, beta: { float: 0.4 } }),
  ...['Celu', 'Selu', 'Softsign', 'Shrink', 'ThresholdedRelu'].map((operator) =>
    unary(operator, 'apart'),
  ),
  unary('Celu', 'apart', { alpha: { float: 1.6 } }),
  unary('Selu', 'apart', { alpha: { float: 1.1 }, gamma: { float: 1.3 } }),
  unary('Shrink', 'apart', { lambd: { float: 0.25 }, bias: { float: 0.1 } }),
  unary('ThresholdedRelu', 'apart', { alpha: { float: 0.5 } }),
  unary('Softsign', 'positive'),
  ...['Ceil', 'Floor', 'Round', 'Sign'].flatMap((operator) => [
    unary(operator, 'apart'),
    {
      ...unary(operator, 'apart'),
      about: 'times its input',
      build: (x: Value) => mul(x, apply(operator, [x])),
    },
  ]),
  ...(
    [
      ['EyeLike', { k: 1 }],
      ['RandomNormalLike', { mean: { float: 2 }, scale: { float: 1e-12 } }],
      ['RandomUniformLike', { low: { float: 2 }, high: { float: 2 } }],
    ] as const
  ).map(
    ([operator, attributes]): Case => ({
      operator,
      about: 'times its input',
      inputs: (draw) => [[draw.size(2, 4), 3]],
      build: (x: Value) => mul(x, apply(operator, [x], attributes)),
    }),
  ),
  ...['Atan', 'Asinh', 'Sinh', 'Cosh'].flatMap((operator) => [
    unary(operator),
    unary(operator, 'positive'),
  ]),
  ...['Acos', 'Asin', 'Atanh', 'Tan'].flatMap((operator) =>
    ([0.5, -0.3] as const).map(
      (factor): Case => ({
        ...unary(operator),
        about: `of ${factor} x`,
        build: (x: Value) => apply(operator, [mul(x, factor)]),
      }),
    ),
  ),
  ...[1.2, 2].map(
    (offset): Case => ({
      ...unary('Acosh', 'positive'),
      about: `of x + ${offset}`,
      build: (x: Value) => apply('Acosh', [add(x, offset)]),
    }),
  ),
  {
    operator: 'Mod',
    about: 'of a fixed divisor, fmod',
    inputs: (draw) => [shape(draw)],
    build: (x: Value) => apply('Mod', [x, x.graph.scalar(0.5)], { fmod: 1 }),
    values: 'apart',
  },
  {
    operator: 'Mod',
    about: 'broadcast divisor, fmod',
    inputs: () => [[4, 1], [3]],
    build: (a: Value, b: Value) => apply('Mod', [mul(a, 4), add(mul(b, 0.01), 0.5)], { fmod: 1 }),
    values: 'apart',
  },
  unary('Gelu'),
  unary('Gelu', 'smooth', { approximate: 'tanh' }),
  ...binary('Add'),
  ...binary('Sub'),
  ...binary('Mul'),
  ...binary('Div', 'positive'),
  ...binary('Pow', 'positive'),
  {
    operator: 'Pow',
    about: 'square of any sign',
    inputs: (draw) => [shape(draw)],
    build: (x: Value) => pow(x, 2),
  },
  {
    operator: 'Pow',
    about: 'cube, exponent an integer',
    inputs: (draw) => [shape(draw)],
    build: (x: Value) => apply('Pow', [x, x.graph.scalar(3, 'int64')]),
  },
  variadic('Min'),
  variadic('Max'),
  ...['Max', 'Min', 'Mean'].flatMap((operator) => binary(operator).map(offset)),
  variadic('Mean'),
  variadic('Sum'),
  ...binary('Sum'),
  {
    operator: 'PRelu',
    about: 'slope of each channel',
    inputs: (draw) => [
      [draw.size(1, 3), 3, draw.size(1, 4)],
      [3, 1],
    ],
    build: (x: Value, slope: Value) => apply('PRelu', [x, slope]),
    values: 'apart',
  },
  {
    operator: 'PRelu',
    about: 'one slope',
    inputs: (draw) => [[draw.size(2, 6), 3], [1]],
    build: (x: Value, slope: Value) => apply('PRelu', [x, slope]),
    values: 'apart',
  },
  ...(
    [
      [-0.5, 0.75],
      [-0.5, undefined],
      [undefined, 0.75],
    ] as const
  ).map(
    ([low, high]): Case => ({
      operator: 'Clip',
      about: `from ${low ?? '−∞'} to ${high ?? '∞'}`,
      inputs: (draw) => [shape(draw)],
      build: (x: Value) => bounds(x, low, high),
      values: 'apart',
    }),
  ),
  {
    operator: 'Clip',
    about: 'bounds that are inputs',
    inputs: (draw) => [shape(draw), [], []],
    build: (x: Value, low: Value, high: Value) =>
      apply('Clip', [x, sub(mul(low, 0.1), 0.5), add(mul(high, 0.1), 0.75)]),
    values: 'apart',
  },
  {
    operator: 'Clip',
    about: 'a lower bound above the upper one',
    inputs: (draw) => [shape(draw), [], []],
    build: (x: Value, low: Value, high: Value) =>
      apply('Clip', [x, add(mul(low, 0.1), 0.5), sub(mul(high, 0.1), 0.25)]),
    values: 'apart',
  },
  {
    operator: 'Where',
    about: 'broadcast',
    inputs: (draw) => [
      [draw.size(2, 4), 1],
      [1, 3],
    ],
    build: (a: Value, b: Value) =>
      where(a.graph.constant({ type: 'bool', shape: [3], data: Uint8Array.of(1, 0, 1) }), a, b),
  },
  {
    operator: 'Where',
    about: 'the second repeated',
    inputs: (draw) => [[draw.size(2, 4), 2], [2]],
    build: (a: Value, b: Value) =>
      where(a.graph.constant({ type: 'bool', shape: [2], data: Uint8Array.of(0, 1) }), a, b),
  },
  {
    operator: 'Cast',
    about: 'to the same type',
    inputs: (draw) => [shape(draw)],
    build: (x: Value) => cast(x, 'float32'),
  },
  ...[2, 3].map(
    (exponent): Case => ({
      operator: 'CastLike',
      about: `to the type of another value, to the power of ${exponent}`,
      inputs: (draw) => [shape(draw)],
      build: (x: Value) => apply('CastLike', [pow(x, exponent), x.graph.scalar(0)]),
    }),
  ),
  {
    operator: 'Dropout',
    about: 'not in training',
    inputs: (draw) => [shape(draw)],
    build: (x: Value) => apply('Dropout', [x, x.graph.scalar(0.4)]),
  },
]
