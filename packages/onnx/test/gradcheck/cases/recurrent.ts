import type { Value } from '../../../src/ir/graph.ts'
import type { Attribute } from '../../../src/model/model.ts'
import { applyOperator } from '../../../src/ops/apply.ts'
import { add, reduceSum } from '../../../src/ops/builders.ts'
import type { Case } from '../check.ts'

interface Recurrent {
  readonly about: string
  readonly gates: number
  readonly directions?: number
  readonly attributes?: Readonly<Record<string, Attribute>>
  /** Inputs after W and R: biases, the lengths of sequences, initial states, peepholes. */
  readonly optional?: readonly ('bias' | 'lengths' | 'h' | 'c' | 'peepholes')[]
  /** Whether the last states count, too. */
  readonly last?: boolean
}

const [batch, hidden, size] = [2, 3, 2]

const recurrent = (operator: string, options: Recurrent): Case => {
  const { about, gates, directions = 1, attributes = {}, optional = [], last } = options
  const width = gates * hidden
  const shapes = {
    bias: [directions, 2 * width],
    h: [directions, batch, hidden],
    c: [directions, batch, hidden],
    peepholes: [directions, 3 * hidden],
  }
  const drawn = (['bias', 'h', 'c', 'peepholes'] as const).filter((one) => optional.includes(one))
  return {
    operator,
    about,
    step: 1 / 100,
    inputs: (draw) => [
      [draw.size(3, 4), batch, size],
      [directions, width, size],
      [directions, width, hidden],
      ...drawn.map((one) => shapes[one]),
    ],
    build: (x: Value, w: Value, r: Value, ...rest: Value[]) => {
      const of = (one: (typeof drawn)[number]): Value | undefined => rest[drawn.indexOf(one)]
      const lengths = optional.includes('lengths')
        ? x.graph.constant({ type: 'int32', shape: [batch], data: Int32Array.of(3, 2) })
        : undefined
      const inputs = [x, w, r, of('bias'), lengths, of('h'), of('c'), of('peepholes')]
      const operation = applyOperator(x.graph, operator, inputs, {
        attributes: new Map(Object.entries({ hidden_size: hidden, ...attributes })),
        outputs: operator === 'LSTM' ? ['Y', 'Y_h', 'Y_c'] : ['Y', 'Y_h'],
      })
      if (!last) return operation.output()
      const sums = operation.outputs.flatMap((output) =>
        output
          ? reduceSum(
              output,
              output.shape.map((_, axis) => axis),
              'drop',
            )
          : [],
      )
      return sums.reduce((a, b) => add(a, b))
    },
  }
}

const both = { directions: 2, attributes: { direction: 'bidirectional' } }

/** Cases of recurrent layers: their forward pass is ONNX Runtime's, and their gradient that of the steps. */
export const recurrentCases: readonly Case[] = [
  recurrent('LSTM', { about: 'plain', gates: 4 }),
  recurrent('LSTM', {
    about: 'two directions, states, peepholes',
    gates: 4,
    ...both,
    optional: ['bias', 'h', 'c', 'peepholes'],
    last: true,
  }),
  recurrent('LSTM', {
    about: 'reverse, lengths',
    gates: 4,
    attributes: { direction: 'reverse' },
    optional: ['bias', 'lengths'],
  }),
  recurrent('GRU', { about: 'plain', gates: 3, optional: ['bias'] }),
  recurrent('GRU', {
    about: 'reset after the product, two directions, lengths',
    gates: 3,
    directions: 2,
    attributes: { direction: 'bidirectional', linear_before_reset: 1 },
    optional: ['bias', 'h', 'lengths'],
    last: true,
  }),
  recurrent('RNN', { about: 'plain', gates: 1 }),
  recurrent('RNN', {
    about: 'Sigmoid and Tanh, two directions',
    gates: 1,
    directions: 2,
    attributes: { direction: 'bidirectional', activations: { strings: ['Sigmoid', 'Tanh'] } },
    optional: ['bias', 'h'],
  }),
]
