import {
  adam,
  diffGrad,
  diffGradNorm,
  type Hyperparameters,
  nadam,
  noDecayOnBiasAndNorm,
  radam,
  sgd,
  type UpdateRule,
} from '@diffgrad/core'
import {
  buildModel,
  crossEntropy,
  dropout,
  linear,
  type Model,
  outputLoss,
  readModel,
  relu,
  sequential,
} from '@diffgrad/onnx'
import { expectClose } from '@diffgrad/testing/tolerance'
import * as ort from 'onnxruntime-node'
import { expect, test, vi } from 'vitest'
import { readCheckpoint } from '../src/checkpoint.ts'
import {
  accuracy,
  type OptimizerSpec,
  type Runtime,
  Trainer,
  type TrainerOptions,
} from '../src/index.ts'
import { everyTransform, smallModel, stripes } from './small-model.ts'

const options = {
  loss: crossEntropy(),
  dimensions: { batch: 16 },
  optimizer: { rule: diffGrad, learningRate: 1e-2 },
  metrics: { accuracy: accuracy() },
} satisfies TrainerOptions<typeof diffGrad.defaults>

test.each(['kernel', 'graph'] as const)('a small network learns: %s', async (update) => {
  const trainer = await Trainer.create(ort, smallModel(), { ...options, update })
  const before = await trainer.evaluate(stripes(1000, 64))
  let last = Number.NaN
  for (let step = 0; step < 60; step++) last = (await trainer.step(stripes(step))).loss
  const after = await trainer.evaluate(stripes(1000, 64))
  expect(before.metrics.accuracy).toBeLessThan(0.6)
  expect(after.metrics.accuracy).toBeGreaterThan(0.9)
  expect(last).toBeLessThan(before.loss / 2)
  await trainer.dispose()
})

const lossesOf = async <H extends Hyperparameters>(
  rule: UpdateRule<H>,
  update: 'kernel' | 'graph',
  groups: OptimizerSpec<Hyperparameters>['groups'] = [],
) => {
  const spec = { rule, learningRate: 1e-2, weightDecay: 1e-2, groups }
  const optimizer: OptimizerSpec<Hyperparameters> = spec
  const trainer = await Trainer.create(ort, smallModel(), { ...options, update, optimizer })
  const losses: number[] = []
  for (let step = 0; step < 12; step++) {
    losses.push((await trainer.step(stripes(step))).loss)
    if (step === 8) await trainer.set({ learningRate: 3e-3 })
  }
  await trainer.dispose()
  return losses
}

test.each([
  ['diffGrad', (update) => lossesOf(diffGrad, update)],
  ['Adam', (update) => lossesOf(adam, update)],
  ['NAdam, which has scalar state', (update) => lossesOf(nadam, update)],
  ['RAdam, whose equations change at a step', (update) => lossesOf(radam, update)],
  [
    'RAdam, in three groups',
    (update) =>
      lossesOf(radam, update, [noDecayOnBiasAndNorm, { parameters: /^2/, learningRate: 0.1 }]),
  ],
] as [string, (update: 'kernel' | 'graph') => Promise<number[]>][])(
  'both updates give the same losses: %s',
  async (_, train) => {
    expectClose(await train('graph'), await train('kernel'), { relative: 1e-4 })
  },
)

/** A runtime that names outputs as onnxruntime-node does before 1.24: by their position among all outputs. */
function misnamingRuntime(): Runtime {
  const InferenceSession = new Proxy(ort.InferenceSession, {
    get: (factory, key) => {
      const value: unknown = Reflect.get(factory, key)
      if (key !== 'create' || typeof value !== 'function') return value
      return async (...args: readonly unknown[]) => {
        const session: ort.InferenceSession = await Reflect.apply(value, factory, args)
        const run = session.run.bind(session)
        return Object.assign(session, {
          async run(feeds: ort.InferenceSession.FeedsType, fetches: object = session.outputNames) {
            const results = await run(feeds, fetches as ort.InferenceSession.FetchesType)
            const requested = session.outputNames.filter((name) => name in results)
            return Object.fromEntries(
              requested.map((name, i) => [session.outputNames[i], results[name]]),
            )
          },
        })
      }
    },
  })
  return { InferenceSession, Tensor: ort.Tensor }
}

test.each([
  ['kernel', {}],
  ['kernel', { accuracy: accuracy() }],
  ['graph', {}],
  ['graph', { accuracy: accuracy() }],
] as const)(
  'the loss is right on a runtime that misnames some of several outputs: %s, %j',
  async (update, metrics) => {
    const all = { ...options, update, metrics }
    const trainer = await Trainer.create(misnamingRuntime(), smallModel(), all)
    const expected = await Trainer.create(ort, smallModel(), all)
    for (let t = 0; t < 3; t++)
      expect(await trainer.step(stripes(t))).toEqual(await expected.step(stripes(t)))
    for (const each of [trainer, expected]) await each.dispose()
  },
)

test('a step reports the histogram of its friction', async () => {
  const [trainer, inGraph] = [
    await Trainer.create(ort, smallModel(), options),
    await Trainer.create(ort, smallModel(), { ...options, update: 'graph' }),
  ]
  const edges = { xi: [0.5, 0.500001, 0.51, 0.6, 1] }
  const plain = await trainer.step(stripes(1))
  const { histograms } = await trainer.step(stripes(2), { histograms: edges })
  expect(plain.histograms).toBeUndefined()
  // Each element of the parameters has a friction, in [½, 1).
  const elements = 8 * 9 + 2 * 8 + 16 * 8 * 9 + 2 * 16 + 3 * 16 + 3
  expect(histograms?.xi.counts.reduce((a, b) => a + b)).toBe(elements)
  expect(histograms?.xi.outside).toBe(0)
  expect(histograms?.xi.mean).toBeGreaterThan(0.5)
  await inGraph.step(stripes(1))
  const ofGraph = await inGraph.step(stripes(2), { histograms: edges })
  expect(ofGraph.histograms?.xi.counts.reduce((a, b) => a + b)).toBe(elements)
  expect(ofGraph.histograms?.xi.mean).toBeCloseTo(histograms?.xi.mean ?? 0, 5)
  for (const each of [trainer, inGraph]) {
    const wrong = each.step(stripes(3), { histograms: { eta: [0, 1] } })
    await expect(wrong).rejects.toThrow('no eta')
    expect((await each.step(stripes(3))).updates).toBe(3)
    await each.dispose()
  }
})

const transforms: readonly [string, Partial<OptimizerSpec<Hyperparameters>>][] = [
  ['accumulate', { accumulate: 3 }],
  ['centralize', { centralize: true }],
  ['clip by value', { clip: { by: 'value', limit: 1e-3 } }],
  ['clip by norm', { clip: { by: 'norm', limit: 1e-2 } }],
  ['clip by global norm', { clip: { by: 'globalNorm', limit: 1e-2 } }],
  ['Lookahead', { lookahead: { every: 2, alpha: 0.5 } }],
  ['an EMA', { ema: { decay: 0.8 } }],
  [
    'another rule for biases and norms, upwards, and an EMA that warms up',
    {
      maximize: true,
      ema: { decay: 0.8, warmup: { gamma: 1, power: 0.5 } },
      groups: [{ ...noDecayOnBiasAndNorm, rule: nadam, learningRate: 2e-2 }],
    },
  ],
  ['sums that depend on others, and on scalar state', { rule: diffGradNorm, cautious: true }],
  ['all of them in two groups', { ...everyTransform, groups: [noDecayOnBiasAndNorm] }],
]

test.each(transforms)('both updates give the same weights: %s', async (_, transform) => {
  const optimizer = { rule: diffGrad, learningRate: 1e-2, weightDecay: 1e-2, ...transform }
  const states = []
  for (const update of ['kernel', 'graph'] as const) {
    const trainer = await Trainer.create(ort, smallModel(), { ...options, update, optimizer })
    const outcomes: string[] = []
    for (let step = 0; step < 7; step++) outcomes.push((await trainer.step(stripes(step))).outcome)
    const ema = transform.ema !== undefined
    const { loss } = await trainer.evaluate(stripes(99), { average: ema })
    const saved = await trainer.save()
    const resumed = await Trainer.create(ort, smallModel(), { ...options, update, optimizer })
    await resumed.load(saved)
    const [next, again] = [await trainer.step(stripes(8)), await resumed.step(stripes(8))]
    expect(again).toEqual(next)
    expect(await resumed.save()).toEqual(await trainer.save())
    states.push({ outcomes, losses: [loss, next.loss] })
    for (const each of [trainer, resumed]) await each.dispose()
  }
  const [kernel, graph] = states
  expect(graph.outcomes).toEqual(kernel.outcomes)
  expectClose(graph.losses, kernel.losses, { relative: 1e-4 })
})

test.each(['kernel', 'graph'] as const)(
  'with skipNotFinite, a step with a gradient that is not finite changes nothing: %s',
  async (update) => {
    const optimizer = { rule: diffGrad, learningRate: 1e-2, skipNotFinite: { limit: 1 } }
    const trainer = await Trainer.create(ort, smallModel(), { ...options, update, optimizer })
    await trainer.step(stripes(0))
    const before = readCheckpoint(await trainer.save())
    const { input, target } = stripes(1)
    const broken = { input: input.map((x, i) => (i === 5 ? Number.NaN : x)), target }
    const skipped = { total: 1, consecutive: 1 }
    expect(await trainer.step(broken)).toMatchObject({ outcome: 'skipped', skipped })
    await expect(trainer.step(broken)).rejects.toThrow(
      'skipped steps in a row must be at most 1, the limit of skipNotFinite',
    )
    expect(readCheckpoint(await trainer.save())).toEqual({
      ...before,
      optimizer: { ...before.optimizer, skipped },
    })
    expect(await trainer.step(stripes(1))).toMatchObject({
      outcome: 'updated',
      skipped: { total: 1, consecutive: 0 },
    })
    await trainer.dispose()
  },
)

test.each(['kernel', 'graph'] as const)(
  'runs with Dropout of one seed are equal bit for bit, also if they are resumed: %s',
  async (update) => {
    const network = sequential(linear(16), relu, dropout(0.5), linear(4), dropout(0.1))
    const create = (seed: number) =>
      Trainer.create(ort, buildModel(network, { shape: ['batch', 8], seed: 1 }), {
        loss: crossEntropy(),
        optimizer: { rule: diffGrad, learningRate: 1e-2 },
        dimensions: { batch: 4 },
        seed,
        update,
      })
    const batch = {
      input: Float32Array.from({ length: 32 }, (_, i) => Math.sin(i)),
      target: [0, 1, 2, 3],
    }
    const losses = async (trainer: Trainer, count: number) => {
      const all: number[] = []
      for (let t = 0; t < count; t++) all.push((await trainer.step(batch)).loss)
      return all
    }
    const trainer = await create(1)
    const whole = await losses(trainer, 3)
    const checkpoint = await trainer.save()
    const rest = await losses(trainer, 3)
    const resumed = await create(1)
    await resumed.load(checkpoint)
    expect(await losses(resumed, 3)).toEqual(rest)
    expect(await resumed.save()).toEqual(await trainer.save())
    const [again, other] = [await create(1), await create(2)]
    expect(await losses(again, 3)).toEqual(whole)
    expect(await losses(other, 3)).not.toEqual(whole)
    expect(readModel(await trainer.export()).initializers.has('dropout/step')).toBe(false)
    const trainers = [trainer, resumed, again, other]
    expect((await trainer.predict({ input: batch.input })).output.dims).toEqual([4, 4])
    for (const one of trainers) await one.dispose()
  },
)

test('a model whose output is its loss is trained on it, and a bias that exporters tie is warned of', async () => {
  const node = (operator: string, inputs: readonly string[], output: string) => ({
    operator,
    domain: '',
    name: output,
    inputs,
    outputs: [output],
    attributes: new Map(),
  })
  const model: Model = {
    name: 'inside',
    inputs: [
      { name: 'x', type: 'float32', shape: ['batch', 2] },
      { name: 'label', type: 'int64', shape: ['batch'] },
    ],
    outputs: [{ name: 'loss', type: 'float32', shape: [] }],
    nodes: [
      node('Add', ['x', 'zeros'], 'a'),
      node('MatMul', ['a', 'w'], 'm'),
      node('Add', ['m', 'zeros'], 'logits'),
      node('SoftmaxCrossEntropyLoss', ['logits', 'label'], 'loss'),
    ],
    initializers: new Map([
      ['w', { type: 'float32', shape: [2, 2], data: Float32Array.of(0.1, 0, 0, 0.1) }],
      ['zeros', { type: 'float32', shape: [2], data: new Float32Array(2) }],
    ]),
    values: new Map(),
    domains: new Map(),
  }
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const trainer = await Trainer.create(ort, model, {
    loss: outputLoss(),
    dimensions: { batch: 2 },
    optimizer: { rule: sgd, learningRate: 1 },
  })
  expect(warn.mock.calls).toMatchObject([
    [expect.stringMatching(/^trainer: "zeros" \(2\): several nodes read one parameter/)],
  ])
  warn.mockRestore()
  const batch = { x: Float32Array.of(1, 0, 0, 1), label: [1, 0] }
  const { loss } = await trainer.step(batch)
  for (let i = 0; i < 30; i++) await trainer.step(batch)
  expect(loss).toBeGreaterThan(0.7)
  expect((await trainer.evaluate(batch)).loss).toBeLessThan(0.1)
  // One example more than the batches of training.
  const more = { x: Float32Array.of(1, 0, 0, 1, 1, 0), label: [1, 0, 1] }
  expect((await trainer.evaluate(more)).loss).toBeLessThan(0.1)
  await trainer.dispose()
})
