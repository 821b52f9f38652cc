import { testSeed } from '@diffgrad/testing/seed'
import { expectClose } from '@diffgrad/testing/tolerance'
import { expect, test } from 'vitest'
import { evaluationModel } from '../src/evaluation-model.ts'
import { gradientModel } from '../src/gradient-model.ts'
import { Graph } from '../src/ir/graph.ts'
import { toModel } from '../src/ir/to-model.ts'
import type { Model } from '../src/model/model.ts'
import { seeded } from '../src/nn/initializers.ts'
import { buildModel, sequential } from '../src/nn/layer.ts'
import { batchNorm, conv, dropout, globalAveragePool, linear, relu } from '../src/nn/layers.ts'
import { crossEntropy, meanSquaredError } from '../src/nn/losses.ts'
import { applyOperator } from '../src/ops/apply.ts'
import { expectTensorClose, feedOf, feedsOf, float, floats, integers, session } from './session.ts'

const random = seeded(testSeed(1))
const randomTensor = (length: number, shape: readonly number[]) =>
  float(
    Float32Array.from({ length }, () => random.normal() + 2),
    shape,
  )
const norm = buildModel(sequential(batchNorm({ momentum: 0.75 })), {
  shape: ['batch', 2],
  seed: testSeed(1),
})
const feeds = { input: randomTensor(12, [6, 2]), target: randomTensor(12, [6, 2]) }
const columns = [0, 1].map((c) =>
  Array.from(feeds.input.data as Float32Array).filter((_, i) => i % 2 === c),
)
const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b) / x.length
const variance = (x: readonly number[]): number => mean(x.map((v) => (v - mean(x)) ** 2))

test.each(['standard', 'plain'] as const)(
  'training updates running statistics by the mean of the batch and its variance over all n: %s operators',
  async (operators) => {
    const { model, parameters, statistics } = gradientModel(norm, {
      loss: meanSquaredError(),
      dimensions: { batch: 6 },
      lowering: { operators },
    })
    const state = feedsOf([...parameters, ...statistics])
    const results = await (await session(model)).run({ ...feeds, ...state })
    const next = (name: string) => floats(results, statistics.get(name)?.next ?? '')
    expectTensorClose(
      next('0.running_mean'),
      columns.map((x) => 0.25 * mean(x)),
      1e-6,
    )
    expectTensorClose(
      next('0.running_var'),
      columns.map((x) => 0.75 + 0.25 * variance(x)),
      1e-6,
    )
    // The training mode of ONNX Runtime's own operator would have overwritten the feeds.
    expect([...(state['0.running_mean']?.data ?? [])]).toEqual([0, 0])
    expect([...(state['0.running_var']?.data ?? [])]).toEqual([1, 1])
  },
)

test('evaluation normalizes by running statistics and updates none', async () => {
  const { model, statistics, parameters } = gradientModel(norm, {
    loss: meanSquaredError(),
    dimensions: { batch: 6 },
    mode: 'evaluate',
  })
  expect(statistics.size).toBe(0)
  const results = await (await session(model)).run({ ...feeds, ...feedsOf(parameters) })
  expectTensorClose(floats(results, 'output'), Array.from(feeds.input.data, Number), 1e-5)
})

test('dropout drops in training only, and dropped elements have no gradient', async () => {
  const forward = buildModel(sequential(batchNorm(), dropout(0.5)), {
    shape: [4, 64],
    seed: testSeed(2),
  })
  const options = { loss: meanSquaredError(), frozen: [/0\.weight/] }
  const input = randomTensor(256, [4, 64])
  const zeros = float(new Float32Array(256), [4, 64])
  const bias = float(new Float32Array(64), [64])
  const run = async (mode: 'train' | 'evaluate') => {
    const { model, parameters } = gradientModel(forward, { ...options, mode })
    const results = await (await session(model)).run({ input, target: zeros, '0.bias': bias })
    const gradient = floats(results, parameters.get('0.bias')?.gradient ?? '')
    return { y: floats(results, 'output'), gradient }
  }
  const trained = await run('train')
  const evaluated = await run('evaluate')
  const dropped = trained.y.filter((v) => v === 0).length
  expect(dropped).toBeGreaterThan(80)
  expect(dropped).toBeLessThan(176)
  for (const [i, v] of trained.y.entries())
    if (v !== 0) expectClose(v, 2 * (evaluated.y[i] ?? 0), { relative: 1e-5 })
  // ∂b = Σ 2y/n · mask/(1 − ratio)
  const expected = Array.from({ length: 64 }, (_, c) =>
    [0, 1, 2, 3].reduce((sum, n) => sum + (4 * (trained.y[n * 64 + c] ?? 0)) / 256, 0),
  )
  expectTensorClose(trained.gradient, expected, 1e-5)
})

const network = buildModel(
  sequential(
    sequential(conv(4), batchNorm(), relu, conv(4), batchNorm(), relu),
    globalAveragePool,
    linear(3),
  ),
  { shape: ['batch', 2, 6, 6], seed: testSeed(5) },
)
const classify = { loss: crossEntropy(), dimensions: { batch: 4 } }

test('frozen parameters are not differentiated, stay in the model, and cost no gradient', async () => {
  const all = gradientModel(network, classify)
  const head = gradientModel(network, { ...classify, frozen: [/^0\./] })
  expect([...head.parameters.keys()]).toEqual(['2.weight', '2.bias'])
  expect(head.statistics.size).toBe(0)
  expect(head.model.initializers.has('0.0.weight')).toBe(true)
  const operators = head.model.nodes.map(({ operator }) => operator)
  expect(operators.filter((operator) => operator === 'Conv')).toHaveLength(2)
  expect(operators).not.toContain('ConvTranspose')
  expect(head.model.nodes.length).toBeLessThan(all.model.nodes.length / 3)
  const results = await (await session(head.model)).run({
    input: randomTensor(288, [4, 2, 6, 6]),
    target: integers([0, 1, 2, 0]),
    ...feedsOf(head.parameters),
  })
  // Softmax minus target sums to zero over the classes.
  const gradient = floats(results, 'gradient/2.bias')
  expectClose(
    gradient.reduce((a, b) => a + b),
    0,
    { relative: 0, absolute: 1e-6 },
  )
})

test('an operator without a gradient rule is named, and the parameters to freeze', () => {
  const graph = new Graph()
  const x = graph.input('input', 'float32', [2, 3])
  const early = graph.parameter('early', { type: 'float32', shape: [3], data: new Float32Array(3) })
  const late = graph.parameter('late', { type: 'float32', shape: [3], data: new Float32Array(3) })
  const sum = applyOperator(graph, 'Add', [x, early]).output()
  const drawn = applyOperator(graph, 'Bernoulli', [sum], { name: 'draw' }).output()
  const of = (outputs: ReadonlyMap<string, typeof x>) => toModel({ name: 'm', outputs })
  const both = of(new Map([['y', applyOperator(graph, 'Mul', [drawn, late]).output()]]))
  const options = { loss: meanSquaredError() }
  expect(() => gradientModel(both, options)).toThrow(
    'node "draw" (Bernoulli): the operator has no gradient rule, as its output is drawn at random; freeze "early" to avoid it',
  )
  expect([...gradientModel(both, { ...options, frozen: [/early/] }).parameters.keys()]).toEqual([
    'late',
  ])
  const only = of(new Map([['y', drawn]]))
  expect(() => gradientModel(only, options)).toThrow(
    'freezing cannot avoid it, as every parameter acts through it',
  )
})

test('an evaluation model returns the loss and the outputs of evaluation mode, without gradients', async () => {
  const evaluated = evaluationModel(network, classify)
  const differentiated = gradientModel(network, { ...classify, mode: 'evaluate' })
  const feeds = { input: randomTensor(288, [4, 2, 6, 6]), target: integers([0, 1, 2, 0]) }
  const run = async (model: Model) => {
    const state = model.inputs.flatMap(({ name }) => {
      const initial = evaluated.state.get(name)
      return initial ? [[name, feedOf(initial)] as const] : []
    })
    return (await session(model)).run({ ...feeds, ...Object.fromEntries(state) })
  }
  const [a, b] = [await run(evaluated.model), await run(differentiated.model)]
  expect(floats(a, evaluated.loss)[0]).toBe(floats(b, differentiated.loss)[0])
  expect(floats(a, 'output')).toEqual(floats(b, 'output'))
  expect(evaluated.model.nodes.length).toBeLessThan(differentiated.model.nodes.length / 3)
  expect([...evaluated.state.keys()]).toContain('0.1.running_var')
})
