import { diffGrad, ranger } from '@diffgrad/core'
import { crossEntropy, type Model } from '@diffgrad/onnx'
import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { accuracy, NotFiniteError, Trainer, type TrainerOptions } from '../src/index.ts'
import { smallModel, stripes } from './digits.ts'

const options = {
  loss: crossEntropy(),
  dimensions: { batch: 16 },
  optimizer: { rule: diffGrad },
} satisfies TrainerOptions<typeof diffGrad.defaults>
const good = stripes(1)

test.each([
  ['without targets', { input: good.input }, 'batch: must have "target"'],
  ['with something else', { ...good, extra: [1] }, 'batch: "extra" is no input; the model takes'],
  [
    'of another size',
    stripes(1, 8),
    'batch: "input" must be float32 [16,1,8,8], but is 512 elements',
  ],
  [
    'of another shape',
    { ...good, input: { data: good.input, dims: [16, 8, 8, 1] } },
    'batch: "input" must be float32 [16,1,8,8], but is [16,8,8,1]',
  ],
  [
    'of doubles',
    { ...good, input: Float64Array.from(good.input) },
    'batch: "input" must be float32 (Float32Array), but is Float64Array',
  ],
  [
    'with a class too many',
    { ...good, target: [0, 3, ...good.target.slice(2)] },
    'batch: "target" must hold classes in [0, 3), but element 1 is 3',
  ],
  [
    'with a negative class',
    { ...good, target: BigInt64Array.from(good.target, (label) => BigInt(label) - 1n) },
    /batch: "target" must hold classes in \[0, 3\), but element \d+ is -1/,
  ],
] as const)('a batch %s is refused', async (_, batch, message) => {
  const trainer = await Trainer.create(ort, smallModel(), options)
  await expect(trainer.step(batch)).rejects.toThrow(message)
  await trainer.dispose()
})

test.each(['kernel', 'graph'] as const)(
  'a loss that is not a number stops training, with the step, and changes nothing: %s',
  async (update) => {
    const trainer = await Trainer.create(ort, smallModel(), { ...options, update })
    await trainer.step(good)
    const before = await trainer.save()
    const input = good.input.slice().fill(Number.NaN, 7, 8)
    const step = trainer.step({ ...good, input })
    await expect(step).rejects.toThrow(
      'step 2: the loss must be finite, but is NaN; the weights are as before it',
    )
    await expect(step).rejects.toBeInstanceOf(NotFiniteError)
    expect(await trainer.save()).toEqual(before)
    expect((await trainer.step(good)).updates).toBe(2)
    await trainer.dispose()
  },
)

test.each(['kernel', 'graph'] as const)(
  'a metric that throws stops a step, and changes nothing: %s',
  async (update) => {
    let broken = false
    const compute = (): number => {
      if (broken) throw new RangeError('no figure')
      return 1
    }
    const metrics = { figure: { compute } }
    const trainer = await Trainer.create(ort, smallModel(), { ...options, update, metrics })
    await trainer.step(good)
    const before = await trainer.save()
    broken = true
    await expect(trainer.step(good)).rejects.toThrow('no figure')
    broken = false
    expect(await trainer.save()).toEqual(before)
    expect((await trainer.step(good)).updates).toBe(2)
    await trainer.dispose()
  },
)

test('skipNotFinite skips such a step instead', async () => {
  const optimizer = { rule: diffGrad, skipNotFinite: true }
  const trainer = await Trainer.create(ort, smallModel(), { ...options, optimizer })
  const before = await trainer.save()
  const input = good.input.slice().fill(Number.NaN, 7, 8)
  expect((await trainer.step({ ...good, input })).outcome).toBe('skipped')
  expect(await trainer.save()).toEqual(before)
  await trainer.dispose()
})

test('an aborted step changes nothing', async () => {
  const trainer = await Trainer.create(ort, smallModel(), options)
  const before = await trainer.save()
  await expect(trainer.step(good, { signal: AbortSignal.abort() })).rejects.toThrow('aborted')
  const controller = new AbortController()
  const step = trainer.step(good, { signal: controller.signal })
  await Promise.resolve()
  controller.abort()
  await expect(step).rejects.toThrow('aborted')
  expect(await trainer.save()).toEqual(before)
  await trainer.dispose()
})

test('an abort that comes while the runtime computes is heard when it is done', async () => {
  const trainer = await Trainer.create(ort, smallModel(), options)
  const before = await trainer.save()
  const controller = new AbortController()
  const step = trainer.step(good, { signal: controller.signal })
  setTimeout(() => controller.abort())
  await expect(step).rejects.toThrow('aborted')
  expect(await trainer.save()).toEqual(before)
  await trainer.dispose()
})

test('an output that is not there is named', async () => {
  const metrics = { accuracy: accuracy({ output: 'logits' }) }
  await expect(Trainer.create(ort, smallModel(), { ...options, metrics })).rejects.toThrow(
    'model: has no output "logits"; it has output',
  )
})

test('an operator that the runtime lacks is named before training starts', async () => {
  const model = smallModel()
  const last = model.nodes.length - 1
  const foreign: Model = {
    ...model,
    domains: new Map([['elsewhere', 1]]),
    nodes: model.nodes
      .map((node, i) => (i === last ? { ...node, outputs: ['inner'] } : node))
      .concat({
        operator: 'Twist',
        domain: 'elsewhere',
        name: 'twist',
        inputs: ['inner'],
        outputs: ['output'],
        attributes: new Map(),
      }),
    values: new Map([['output', { name: 'output', type: 'float32', shape: ['batch', 3] }]]),
  }
  await expect(Trainer.create(ort, foreign, options)).rejects.toThrow('Twist')
})

test.each([
  [{ rule: diffGrad, accumulate: 2 }, 'update "graph": has no accumulate, centralize or clip'],
  [{ rule: diffGrad, ema: { decay: 0.9 } }, 'update "graph": has no ema'],
])('what the graph cannot do is named: %o', async (optimizer, message) => {
  const trainer = Trainer.create(ort, smallModel(), { ...options, optimizer, update: 'graph' })
  await expect(trainer).rejects.toThrow(message)
})

test('Ranger, which centralizes, needs kernels', async () => {
  const optimizer = { rule: ranger }
  const made = Trainer.create(ort, smallModel(), { ...options, optimizer, update: 'graph' })
  await expect(made).rejects.toThrow('use update "kernel"')
})

test('a trainer that was disposed of says so, and can be disposed of again', async () => {
  const trainer = await Trainer.create(ort, smallModel(), options)
  await trainer.dispose()
  await trainer.dispose()
  await expect(trainer.step(good)).rejects.toThrow('trainer: was disposed of')
})
