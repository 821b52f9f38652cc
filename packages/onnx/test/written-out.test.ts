import { testSeed } from '@diffgrad/testing/seed'
import { expect, test } from 'vitest'
import { decompositions } from '../src/autodiff/decompositions.ts'
import { gradientModel } from '../src/gradient-model.ts'
import { Graph, type Value } from '../src/ir/graph.ts'
import { toModel } from '../src/ir/to-model.ts'
import { staticShape } from '../src/ir/value.ts'
import { differentiate } from '../src/loss-graph.ts'
import { qualifiedOperator } from '../src/model/error.ts'
import { initializerRoles } from '../src/model/initializer-roles.ts'
import { elementCount, type Model, type Tensor } from '../src/model/model.ts'
import { seeded } from '../src/nn/initializers.ts'
import type { Loss } from '../src/nn/losses.ts'
import { add, reduceMean, square } from '../src/ops/builders.ts'
import { fusedCases } from './gradcheck/cases/fused.ts'
import { recurrentCases } from './gradcheck/cases/recurrent.ts'
import { expectTensorClose, feedsOf, float, floats, session } from './session.ts'

test.each([...recurrentCases, ...fusedCases])(
  '$operator written out computes what ONNX Runtime’s own kernel does: $about',
  async ({ operator, inputs, build }) => {
    const random = seeded(testSeed(7))
    const graph = new Graph()
    const shapes = inputs({
      size: (low, high) => low + Math.floor(random.uniform() * (high - low + 1)),
    })
    build(...shapes.map((shape, i) => graph.input(`x${i}`, 'float32', shape)))
    const operation = graph.operations.find((one) => qualifiedOperator(one) === operator)
    if (!operation) throw new TypeError(`a case must apply ${operator}`)
    const outputs = new Map<string, Value>()
    for (const [i, value] of (decompositions.get(operator)?.(operation) ?? []).entries()) {
      const own = operation.outputs[i]
      if (!value || !own) continue
      outputs.set(`own${i}`, own)
      outputs.set(`written${i}`, value)
    }
    const runner = await session(toModel({ name: 'both', outputs }))
    const feeds = shapes.map((shape, i) => {
      const data = Float32Array.from({ length: elementCount(shape) }, () => random.normal())
      return [`x${i}`, float(data, shape)] as const
    })
    const results = await runner.run(Object.fromEntries(feeds))
    expect(outputs.size).toBeGreaterThan(0)
    for (const name of outputs.keys())
      if (name.startsWith('own'))
        expectTensorClose(
          floats(results, name.replace('own', 'written')),
          floats(results, name),
          2e-5,
        )
    await runner.release()
  },
)

/** An LSTM on a batch of two, with an initial h. */
function lstm(layout: 0 | 1, steps: number): Model {
  const random = seeded(2)
  const weights = (...shape: number[]): Tensor => ({
    type: 'float32',
    shape,
    data: Float32Array.from({ length: elementCount(shape) }, () => random.normal()),
  })
  return {
    name: 'lstm',
    inputs: [{ name: 'x', type: 'float32', shape: layout ? [2, steps, 4] : [steps, 2, 4] }],
    outputs: [
      { name: 'y', type: 'float32', shape: undefined },
      { name: 'last', type: 'float32', shape: undefined },
    ],
    nodes: [
      {
        operator: 'LSTM',
        domain: '',
        name: 'lstm',
        inputs: ['x', 'w', 'r', '', '', 'h'],
        outputs: ['y', 'last'],
        attributes: new Map([
          ['hidden_size', 3],
          ['layout', layout],
        ]),
      },
    ],
    initializers: new Map([
      ['w', weights(1, 12, 4)],
      ['r', weights(1, 12, 3)],
      ['h', weights(...(layout ? [2, 1, 3] : [1, 2, 3]))],
    ]),
    values: new Map(),
    domains: new Map(),
  }
}

const squares: Loss = (outputs) =>
  [...outputs.values()]
    .map((y) =>
      reduceMean(
        square(y),
        y.shape.map((_, axis) => axis),
        'drop',
      ),
    )
    .reduce((a, b) => add(a, b))

test('a layer with the batch first computes what one with the steps first does', async () => {
  const x = Float32Array.from({ length: 24 }, (_, i) => Math.sin(1.7 * i))
  // Element i of [steps, batch, 4] is of this index in [batch, steps, 4].
  const swapped = x.map(
    (_, i) => x[12 * (Math.floor(i / 4) % 2) + 4 * Math.floor(i / 8) + (i % 4)] ?? 0,
  )
  const [first, second] = await Promise.all(
    ([1, 0] as const).map(async (layout) => {
      const gradient = gradientModel(lstm(layout, 3), { loss: squares })
      const runner = await session(gradient.model)
      const input = layout ? float(x, [2, 3, 4]) : float(swapped, [3, 2, 4])
      const results = await runner.run({ x: input, ...feedsOf(gradient.parameters) })
      const names = [...gradient.parameters.values()].map((one) => one.gradient)
      return [gradient.loss, ...names].map((name) => floats(results, name))
    }),
  )
  expect(first).toHaveLength(4)
  for (const [i, values] of (first ?? []).entries())
    expectTensorClose(values, second?.[i] ?? [], 1e-5)
})

test('what the gradient of a layer computes grows with its steps, not with their square', () => {
  const elementsOf = (steps: number): number =>
    differentiate(lstm(0, steps), { loss: squares }).graph.operations.reduce(
      (sum, { outputs }) =>
        sum + outputs.reduce((n, y) => n + (y ? elementCount(staticShape(y)) : 0), 0),
      0,
    )
  expect(elementsOf(64) / elementsOf(16)).toBeLessThan(4.1)
})

test('a layer of more than 512 steps is refused by name', () => {
  expect(() => gradientModel(lstm(0, 513), { loss: squares })).toThrow(
    'node "lstm" (LSTM): must have at most 512 steps to be differentiated, as they are written out, but has 513',
  )
})

test('scales of integers are no parameters', () => {
  const model = lstm(0, 3)
  const node = { operator: 'DequantizeLinear', domain: '', name: '', outputs: ['d'] }
  const { parameters, constants } = initializerRoles({
    ...model,
    nodes: [...model.nodes, { ...node, inputs: ['q', 'scales'], attributes: new Map() }],
    initializers: new Map([
      ...model.initializers,
      ['scales', { type: 'float32', shape: [2], data: Float32Array.of(1, 2) }],
    ]),
  })
  expect([...parameters.keys()]).toEqual(['w', 'r', 'h'])
  expect([...constants.keys()]).toEqual(['scales'])
})

test('an operator of ONNX Runtime’s optimizer without a gradient says which file to use', () => {
  const model = lstm(0, 3)
  const node = { operator: 'EmbedLayerNormalization', domain: 'com.microsoft', name: 'embed' }
  const fused = {
    ...model,
    nodes: [{ ...node, inputs: ['x', 'w'], outputs: ['y'], attributes: new Map() }],
    outputs: [{ name: 'y', type: 'float32' as const, shape: [3, 2, 4] }],
  }
  expect(() => gradientModel(fused, { loss: squares })).toThrow(
    'ONNX Runtime’s optimizer wrote it: use the file from before optimization',
  )
})
