import { diffGrad } from '@diffgrad/core'
import { buildModel, crossEntropy, linear, type Model } from '@diffgrad/onnx'
import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { readCheckpoint } from '../src/checkpoint.ts'
import { accuracy, NotFiniteError, Trainer, type TrainerOptions } from '../src/index.ts'
import { smallModel, stripes } from './small-model.ts'

const options = {
  loss: crossEntropy(),
  dimensions: { batch: 16 },
  optimizer: { rule: diffGrad },
} satisfies TrainerOptions<typeof diffGrad.defaults>
const batch = stripes(1)

test.each([
  ['without targets', { input: batch.input }, 'batch: must have "target"'],
  [
    'with an unexpected input',
    { ...batch, extra: [1] },
    'batch: "extra" is no input of the model, which has input, target',
  ],
  [
    'of another shape',
    { ...batch, input: { data: batch.input, dims: [16, 8, 8, 1] } },
    'batch: "input" must be float32 [batch,1,8,8], but is [16,8,8,1]',
  ],
  [
    'of float64',
    { ...batch, input: Float64Array.from(batch.input) },
    'batch: "input" must be float32 (Float32Array), but is Float64Array',
  ],
  [
    'with a class that is too large',
    { ...batch, target: [0, 3, ...batch.target.slice(2)] },
    'batch: "target" must hold classes in [0, 3), but element 1 is 3',
  ],
  [
    'with a negative class',
    { ...batch, target: BigInt64Array.from(batch.target, (label) => BigInt(label) - 1n) },
    /batch: "target" must hold classes in \[0, 3\), but element \d+ is -1/,
  ],
] as const)('a batch %s is an error', async (_, wrong, message) => {
  const trainer = await Trainer.create(ort, smallModel(), options)
  await expect(trainer.step(wrong)).rejects.toThrow(message)
  await trainer.dispose()
})

test('a batch, or a value of it, that is no object is refused by name', async () => {
  const trainer = await Trainer.create(ort, smallModel(), options)
  for (const [wrong, message] of [
    [null, 'batch: must be an object of inputs by name, but is null'],
    [[1], 'batch: must be an object of inputs by name, but is [1]'],
    ...[null, 1, {}].map((input) => [
      { ...batch, input },
      `batch: "input" must be float32 (Float32Array), but is ${JSON.stringify(input)}`,
    ]),
    [
      { ...batch, input: { data: null } },
      'batch: "input" must be float32 (Float32Array), but is null',
    ],
  ] as const) {
    for (const call of ['step', 'evaluate'] as const) {
      await expect(trainer[call](wrong as never), call).rejects.toThrow(message as string)
    }
  }
  await trainer.dispose()
})

test.each(['kernel', 'graph'] as const)(
  'a loss of NaN is an error that names the step, and changes nothing: %s',
  async (update) => {
    const trainer = await Trainer.create(ort, smallModel(), { ...options, update })
    await trainer.step(batch)
    const before = await trainer.save()
    const input = batch.input.slice().fill(Number.NaN, 7, 8)
    const step = trainer.step({ ...batch, input })
    await expect(step).rejects.toThrow(
      'step 2: the loss must be finite, but is NaN; the weights are unchanged',
    )
    await expect(step).rejects.toBeInstanceOf(NotFiniteError)
    expect(await trainer.save()).toEqual(before)
    expect((await trainer.step(batch)).updates).toBe(2)
    await trainer.dispose()
  },
)

test.each(['kernel', 'graph'] as const)(
  'a metric that throws cancels the step, and nothing changes: %s',
  async (update) => {
    let throws = false
    const compute = (): number => {
      if (throws) throw new RangeError('broken metric')
      return 1
    }
    const metrics = { constant: { compute } }
    const trainer = await Trainer.create(ort, smallModel(), { ...options, update, metrics })
    await trainer.step(batch)
    const before = await trainer.save()
    throws = true
    await expect(trainer.step(batch)).rejects.toThrow('broken metric')
    throws = false
    expect(await trainer.save()).toEqual(before)
    expect((await trainer.step(batch)).updates).toBe(2)
    await trainer.dispose()
  },
)

test('with skipNotFinite, a loss of NaN skips the step instead', async () => {
  const optimizer = { rule: diffGrad, skipNotFinite: true }
  const trainer = await Trainer.create(ort, smallModel(), { ...options, optimizer })
  const before = readCheckpoint(await trainer.save())
  const input = batch.input.slice().fill(Number.NaN, 7, 8)
  const skipped = { total: 1, consecutive: 1 }
  expect(await trainer.step({ ...batch, input })).toMatchObject({ outcome: 'skipped', skipped })
  const after = readCheckpoint(await trainer.save())
  expect(after).toEqual({ ...before, optimizer: { ...before.optimizer, skipped } })
  await trainer.dispose()
})

test('an aborted step changes nothing', async () => {
  const trainer = await Trainer.create(ort, smallModel(), options)
  const before = await trainer.save()
  await expect(trainer.step(batch, { signal: AbortSignal.abort() })).rejects.toThrow('aborted')
  const controller = new AbortController()
  const step = trainer.step(batch, { signal: controller.signal })
  await Promise.resolve()
  controller.abort()
  await expect(step).rejects.toThrow('aborted')
  expect(await trainer.save()).toEqual(before)
  await trainer.dispose()
})

test('an abort while the runtime computes takes effect when it is done', async () => {
  const trainer = await Trainer.create(ort, smallModel(), options)
  const before = await trainer.save()
  const controller = new AbortController()
  const step = trainer.step(batch, { signal: controller.signal })
  setTimeout(() => controller.abort())
  await expect(step).rejects.toThrow('aborted')
  expect(await trainer.save()).toEqual(before)
  await trainer.dispose()
})

test('a metric of an unknown output is an error that names it', async () => {
  const metrics = { accuracy: accuracy({ output: 'logits' }) }
  await expect(Trainer.create(ort, smallModel(), { ...options, metrics })).rejects.toThrow(
    'model: has no output "logits"; it has output',
  )
})

test('an operator that the runtime lacks is an error before training starts', async () => {
  const model = smallModel()
  const last = model.nodes.length - 1
  const unsupported: Model = {
    ...model,
    domains: new Map([['com.example', 1]]),
    nodes: model.nodes
      .map((node, i) => (i === last ? { ...node, outputs: ['inner'] } : node))
      .concat({
        operator: 'Twist',
        domain: 'com.example',
        name: 'twist',
        inputs: ['inner'],
        outputs: ['output'],
        attributes: new Map(),
      }),
    values: new Map([['output', { name: 'output', type: 'float32', shape: ['batch', 3] }]]),
  }
  await expect(Trainer.create(ort, unsupported, options)).rejects.toThrow('Twist')
})

test('a trainer that was disposed of says so, and can be disposed of again', async () => {
  const trainer = await Trainer.create(ort, smallModel(), options)
  await trainer.dispose()
  await trainer.dispose()
  await expect(trainer.step(batch)).rejects.toThrow('trainer: was disposed of')
})

/** ONNX Runtime, whose `InferenceSession.create` fails while `memory.full` is set. */
function limitedRuntime() {
  const memory = { full: false }
  const InferenceSession = new Proxy(ort.InferenceSession, {
    get: (factory, key) =>
      memory.full && key === 'create'
        ? () => Promise.reject(new Error('out of memory'))
        : Reflect.get(factory, key),
  })
  return { memory, runtime: { InferenceSession, Tensor: ort.Tensor } }
}

test('a session that could not be created is created at the next call, and the trainer can be disposed of', async () => {
  const { memory, runtime } = limitedRuntime()
  const trainer = await Trainer.create(runtime, smallModel(), options)
  memory.full = true
  await expect(trainer.evaluate(batch)).rejects.toThrow('out of memory')
  await expect(trainer.predict({ input: batch.input })).rejects.toThrow('out of memory')
  memory.full = false
  expect((await trainer.evaluate(batch)).loss).toBeGreaterThan(0)
  memory.full = true
  await expect(trainer.evaluate(stripes(1, 8))).rejects.toThrow('out of memory')
  await trainer.dispose()
})

/** What plain JavaScript can pass. */
const untyped = (value: unknown): never => value as never

test.each([
  [
    'without a runtime',
    undefined,
    options,
    'the runtime must be onnxruntime-node or onnxruntime-web',
  ],
  ['without options', ort, undefined, 'trainer: options must be an object, but are undefined'],
  [
    'with an unknown option',
    ort,
    { ...options, learningRate: 0.1 },
    'trainer: has no option "learningRate"; it has optimizer, update, metrics, ranks, session, loss',
  ],
  [
    'with a rule as the optimizer',
    ort,
    { ...options, optimizer: () => diffGrad },
    'trainer: optimizer must be { rule, … }, but is a function',
  ],
  [
    'with the name of a rule',
    ort,
    { ...options, optimizer: { rule: 'diffGrad' } },
    'trainer: optimizer.rule must be a rule of @diffgrad/core, but is "diffGrad"',
  ],
  [
    'with an unknown update',
    ort,
    { ...options, update: 'kernels' },
    'trainer: update must be "kernel" or "graph", but is "kernels"',
  ],
  [
    'with a function as a metric',
    ort,
    { ...options, metrics: { accuracy: () => 1 } },
    'trainer: metric "accuracy" must be { outputs, compute }, such as accuracy(), but is a function',
  ],
  [
    'with the name of a provider as the session',
    ort,
    { ...options, session: 'webgpu' },
    `trainer: session must be an object of the runtime's options, but is "webgpu"`,
  ],
  [
    'with a dimension that the model lacks',
    ort,
    { ...options, dimensions: { bacth: 16 } },
    'dimensions: has no option "bacth"; it has batch',
  ],
  [
    'with a pattern that freezes nothing',
    ort,
    { ...options, frozen: [/Bias$/] },
    'frozen: /Bias$/ must match a parameter',
  ],
])('a trainer %s is refused by name', async (_, runtime, wrong, message) => {
  await expect(Trainer.create(untyped(runtime), smallModel(), untyped(wrong))).rejects.toThrow(
    message,
  )
})

test('a layer, or the name of a file, is no model', async () => {
  for (const [model, what] of [
    [linear(2), 'a function'],
    ['model.onnx', '"model.onnx"'],
  ] as const)
    await expect(Trainer.create(ort, untyped(model), options)).rejects.toThrow(
      `trainer: the model must be a model or the bytes of an .onnx file, but is ${what}`,
    )
})

test('unknown options of the calls of a trainer are refused by name, and nothing changes', async () => {
  const trainer = await Trainer.create(ort, smallModel(), options)
  const before = await trainer.save()
  const calls = [
    [() => trainer.step(batch, untyped({ signals: 1 })), 'step: has no option "signals"'],
    [() => trainer.step(batch, untyped(0.1)), 'step: options must be an object, but are 0.1'],
    [
      () => trainer.step(batch, untyped({ signal: true })),
      'step: signal must be an AbortSignal, but is true',
    ],
    [
      () => trainer.evaluate(batch, untyped({ averaged: true })),
      'weights: has no option "averaged"; it has average',
    ],
    [
      () => trainer.export(untyped({ average: 'yes' })),
      'weights: average must be true or false, but is "yes"',
    ],
    [() => trainer.export(untyped('model.onnx')), 'weights: options must be an object, but are "'],
    [
      () => trainer.load(untyped('training.safetensors')),
      'checkpoint: must be the bytes of a file, but is "training.safetensors"',
    ],
  ] as const
  for (const [call, message] of calls) await expect(call()).rejects.toThrow(message)
  expect(await trainer.save()).toEqual(before)
  await trainer.dispose()
})

test('targets of tokens are classes or the ignored one', async () => {
  const model = buildModel(linear(5), { shape: ['batch', 3, 4], seed: 1 })
  const trainer = await Trainer.create(ort, model, {
    loss: crossEntropy({ axis: -1, ignoreIndex: -100 }),
    optimizer: { rule: diffGrad },
    metrics: { accuracy: accuracy({ ignoreIndex: -100 }) },
    dimensions: { batch: 2 },
  })
  const input = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i))
  const target = [1, -100, 4, 0, -100, -100]
  const { loss, metrics } = await trainer.step({ input, target })
  expect([0, 1, 2, 3].map((k) => k / 3)).toContain(metrics.accuracy)
  expect(loss).toBeGreaterThan(0)
  await expect(trainer.step({ input, target: [1, -1, 4, 0, 0, 0] })).rejects.toThrow(
    'batch: "target" must hold classes in [0, 5) or -100, but element 1 is -1',
  )
  await trainer.dispose()
})
