import type { Value } from '../../../src/ir/graph.ts'
import { apply, applyOperator } from '../../../src/ops/apply.ts'
import { add, square } from '../../../src/ops/builders.ts'
import { normalizeBatch } from '../../../src/ops/normalization.ts'
import type { Case, Draw } from '../check.ts'

/** With fewer elements the variance can be so small that finite differences are inexact. */
const image = (draw: Draw): readonly (readonly number[])[] => [
  [draw.size(2, 4), 4, draw.size(4, 6), draw.size(4, 6)],
  [4],
  [4],
]

const batch = (
  about: string,
  inputs: Case['inputs'],
  operators: 'standard' | 'plain' = 'standard',
): Case => ({
  operator: 'BatchNormalization',
  about: `training, ${about}`,
  inputs,
  build: (x: Value, scale: Value, bias: Value) =>
    normalizeBatch({ x, scale, bias, epsilon: 1e-5 }).y,
  lowering: { operators },
})

const frozen: Case = {
  operator: 'BatchNormalization',
  about: 'statistics given',
  inputs: image,
  build: (x: Value, scale: Value, bias: Value) => {
    const [mean, variance] = [0.1, 0.7].map((value) =>
      x.graph.constant({ type: 'float32', shape: [4], data: new Float32Array(4).fill(value) }),
    )
    return apply('BatchNormalization', [x, scale, bias, mean, variance])
  },
}

const layer = (axis: number, bias: boolean): Case => ({
  operator: 'LayerNormalization',
  about: `axis ${axis}, ${bias ? 'with' : 'without'} bias`,
  inputs: (draw) => {
    const shape = [draw.size(2, 3), draw.size(2, 4), draw.size(8, 12)]
    const scale = shape.slice(axis)
    return [shape, scale, ...(bias ? [scale] : [])]
  },
  build: (x: Value, scale: Value, b?: Value) =>
    apply('LayerNormalization', [x, scale, b], { axis }),
})

/** The mean or 1/σ of a layer normalization, times its first output. */
function furtherOutput(
  output: number,
  axis: number,
  inputs: readonly (Value | undefined)[],
): Value {
  const [x] = inputs
  if (!x) throw new TypeError('must have an input')
  const operation = applyOperator(x.graph, 'LayerNormalization', inputs, {
    attributes: new Map([['axis', axis]]),
    outputs: ['normalized', 'mean', 'inverse'],
  })
  return add(operation.output(), operation.output(output))
}

const softmax = (operator: string, axis?: number): Case => ({
  operator,
  about: axis === undefined ? 'any shape' : 'axis',
  inputs: (draw) => [[draw.size(1, 3), draw.size(2, 5), draw.size(1, 4)]],
  build: (x: Value) => apply(operator, [x], axis === undefined ? {} : { axis }),
})

/** Normalizations and softmax. */
export const normalizationCases: readonly Case[] = [
  batch('images', image),
  batch('images, plain operators', image, 'plain'),
  batch('vectors', (draw) => [[draw.size(6, 9), 4], [4], [4]]),
  {
    operator: 'BatchNormalization',
    about: 'training, with momentum',
    inputs: image,
    build: (x: Value, scale: Value, bias: Value) => {
      const running = [0, 1].map((value) =>
        x.graph.initializer(`running${value}`, {
          type: 'float32',
          shape: [4],
          data: new Float32Array(4).fill(value),
        }),
      )
      return applyOperator(x.graph, 'BatchNormalization', [x, scale, bias, ...running], {
        attributes: new Map([['training_mode', 1]]),
        outputs: ['y', 'mean', 'variance'],
      }).output()
    },
  },
  frozen,
  {
    operator: 'BatchNormalization',
    about: 'statistics that depend on inputs',
    inputs: (draw) => [...image(draw), [4], [4]],
    build: (x: Value, scale: Value, bias: Value, mean: Value, variance: Value) =>
      apply('BatchNormalization', [x, scale, bias, mean, add(square(variance), 0.5)]),
  },
  layer(-1, true),
  layer(-1, false),
  layer(1, true),
  ...[1, 2].flatMap((output) => [
    {
      ...layer(-1, true),
      about: `output ${output}`,
      build: (x: Value, scale: Value, bias?: Value) => furtherOutput(output, -1, [x, scale, bias]),
    },
    {
      ...layer(1, false),
      about: `output ${output}, axis 1`,
      build: (x: Value, scale: Value) => furtherOutput(output, 1, [x, scale]),
    },
  ]),
  ...(
    [
      ['LRN', 'three channels', { size: 3, alpha: { float: 0.5 } }],
      [
        'LRN',
        'five channels',
        { size: 5, alpha: { float: 0.9 }, beta: { float: 0.5 }, bias: { float: 2 } },
      ],
      ['LpNormalization', 'p 2', {}],
      ['LpNormalization', 'p 1, axis 1', { p: 1, axis: 1 }],
      ['MeanVarianceNormalization', 'batch and pixels', {}],
      ['MeanVarianceNormalization', 'batch and channels', { axes: [0, 1] }],
      ['Hardmax', 'last axis', {}],
      ['Hardmax', 'axis 1', { axis: 1 }],
    ] as const
  ).map(
    ([operator, about, attributes]): Case => ({
      operator,
      about,
      inputs: (draw) => [[draw.size(2, 3), 4, draw.size(3, 4), 3]],
      build: (x: Value) => apply(operator, [x], attributes),
      values: operator === 'LpNormalization' || operator === 'Hardmax' ? 'apart' : 'smooth',
    }),
  ),
  {
    operator: 'InstanceNormalization',
    about: 'images',
    inputs: image,
    build: (x: Value, scale: Value, bias: Value) =>
      apply('InstanceNormalization', [x, scale, bias]),
  },
  {
    operator: 'InstanceNormalization',
    about: 'one axis, ε 0.1',
    inputs: (draw) => [[draw.size(1, 3), 3, draw.size(3, 6)], [3], [3]],
    build: (x: Value, scale: Value, bias: Value) =>
      apply('InstanceNormalization', [x, scale, bias], { epsilon: { float: 0.1 } }),
  },
  softmax('Softmax'),
  softmax('Softmax', 1),
  softmax('LogSoftmax'),
  softmax('LogSoftmax', 0),
  ...[1, 2, 4].map(
    (groups): Case => ({
      operator: 'GroupNormalization',
      about: `${groups} of 4 channels`,
      inputs: image,
      build: (x: Value, scale: Value, bias: Value) =>
        apply('GroupNormalization', [add(x, square(x)), scale, bias], { num_groups: groups }),
    }),
  ),
]
