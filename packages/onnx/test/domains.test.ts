import { expect, test } from 'vitest'
import {
  evaluationModel,
  gradientModel,
  inferenceModel,
  type Model,
  meanSquaredError,
  type Tensor,
} from '../src/index.ts'

/** y = operator(x) + bias, with an operator of the domain com.example and a trained bias. */
function custom(operator: string, extra: readonly string[] = []): Model {
  const channels = { type: 'float32', shape: [2], data: Float32Array.of(1, 1) } as const
  const image = { type: 'float32', shape: [1, 2, 4, 4] } as const
  return {
    name: 'custom',
    inputs: [{ name: 'x', ...image }],
    outputs: [{ name: 'y', ...image }],
    nodes: [
      {
        operator,
        domain: 'com.example',
        name: 'custom',
        inputs: ['x', ...extra],
        outputs: ['h'],
        attributes: new Map<string, number | number[]>([
          ['training_mode', 1],
          ['kernel_shape', [1, 1]],
        ]),
      },
      {
        operator: 'Add',
        domain: '',
        name: 'add',
        inputs: ['h', 'bias'],
        outputs: ['y'],
        attributes: new Map(),
      },
    ],
    initializers: new Map<string, Tensor>([
      ...extra.map((name) => [name, channels] as const),
      ['bias', { type: 'float32', shape: [2, 1, 1], data: Float32Array.of(0, 0) }],
    ]),
    values: new Map([['h', { name: 'h', ...image }]]),
    domains: new Map([['com.example', 1]]),
  }
}

const loss = meanSquaredError()
const operatorsOf = ({ nodes }: Model) =>
  nodes.map(({ domain, operator }) => `${domain}.${operator}`)

test.each([
  ['Dropout', []],
  ['MaxPool', []],
  ['BatchNormalization', ['scale', 'shift', 'mean', 'var']],
] as const)('%s of another domain is not rewritten as the standard operator', (operator, extra) => {
  const model = custom(operator, extra)
  const options = {
    loss,
    frozen: extra.length > 0 ? [/scale|shift|mean|var/] : [],
    lowering: { operators: 'plain' },
  } as const
  for (const result of [
    gradientModel(model, options).model,
    gradientModel(model, { ...options, mode: 'evaluate' }).model,
    evaluationModel(model, options).model,
    inferenceModel(model),
  ]) {
    expect(operatorsOf(result)).toContain(`com.example.${operator}`)
    expect(result.nodes.find(({ name }) => name === 'custom')).toMatchObject(model.nodes[0])
  }
})

test('Relu of another domain is not differentiated as the standard operator', () => {
  const model = custom('Relu', ['scale'])
  expect(() => gradientModel(model, { loss })).toThrow(
    'node "custom" (com.example.Relu): the operator has no gradient rule; freeze "scale" to avoid it',
  )
})
