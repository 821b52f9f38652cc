import { diffGrad, ranger } from '@diffgrad/core'
import { crossEntropy, type Model } from '@diffgrad/onnx'
import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'
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
    'of another size',
    stripes(1, 8),
    'batch: "input" must be float32 [16,1,8,8], but is 512 elements',
  ],
  [
    'of another shape',
    { ...batch, input: { data: batch.input, dims: [16, 8, 8, 1] } },
    'batch: "input" must be float32 [16,1,8,8], but is [16,8,8,1]',
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
  const before = await trainer.save()
  const input = batch.input.slice().fill(Number.NaN, 7, 8)
  expect((await trainer.step({ ...batch, input })).outcome).toBe('skipped')
  expect(await trainer.save()).toEqual(before)
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

test.each([
  [
    { rule: diffGrad, accumulate: 2 },
    'update "graph": does not support accumulate, centralize, clip; use update "kernel"',
  ],
  [{ rule: diffGrad, ema: { decay: 0.9 } }, 'update "graph": does not support ema'],
])('an option that update "graph" does not support is an error: %o', async (optimizer, message) => {
  const trainer = Trainer.create(ort, smallModel(), { ...options, optimizer, update: 'graph' })
  await expect(trainer).rejects.toThrow(message)
})

test('update "graph" does not support Ranger, which centralizes gradients', async () => {
  const optimizer = { rule: ranger }
  const trainer = Trainer.create(ort, smallModel(), { ...options, optimizer, update: 'graph' })
  await expect(trainer).rejects.toThrow('use update "kernel"')
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
