import * as tf from '@tensorflow/tfjs'
import { beforeAll, expect, test } from 'vitest'
import { AdaMod, Adam, DiffGrad, type TensorGradients } from '../src/index.ts'

beforeAll(() => tf.setBackend('cpu'))

/** A variable, and an optimizer that has taken one step on it. */
function afterOneStep(name: string) {
  const own = tf.variable(tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]), true, name)
  const optimizer = new DiffGrad({ learningRate: 0.1 })
  optimizer.applyGradients({ [name]: tf.ones([3, 2]) })
  return { own, optimizer }
}

const wrongGradients: readonly (readonly [string, (name: string) => TensorGradients, string])[] = [
  [
    'of an unknown variable',
    () => ({ wieghts: tf.ones([3, 2]) }),
    'diffGrad: no variable is called wieghts, but a gradient is',
  ],
  [
    'of another shape',
    (name) => ({ [name]: tf.ones([2, 3]) }),
    'must be a float32 tensor of shape [3,2], but is a float32 tensor of shape [2,3]',
  ],
  [
    'of integers',
    (name) => [{ name, tensor: tf.ones([3, 2], 'int32') }],
    'must be a float32 tensor of shape [3,2], but is a int32 tensor of shape [3,2]',
  ],
  [
    'that is no tensor',
    (name) => ({ [name]: [1, 2] as unknown as tf.Tensor }),
    'must be a tensor, but is 1,2',
  ],
  [
    'that was disposed of',
    (name) => {
      const gradient = tf.ones([3, 2])
      gradient.dispose()
      return { [name]: gradient }
    },
    'was disposed of',
  ],
]

test.each(wrongGradients)(
  'refuses a gradient %s, and changes nothing',
  async (kind, wrong, message) => {
    const name = `gradient ${kind}`
    const { own, optimizer } = afterOneStep(name)
    const before = [Array.from(await own.data()), await optimizer.stateDict()]
    expect(() => optimizer.applyGradients(wrong(name))).toThrow(message)
    expect([Array.from(await own.data()), await optimizer.stateDict()]).toEqual(before)
    expect(optimizer.iterations).toBe(1)
  },
)

test('refuses a variable that was disposed of, even if there is a new one of the same name', () => {
  const { own, optimizer } = afterOneStep('gone')
  own.dispose()
  const gradients = { gone: tf.ones([3, 2]) }
  expect(() => optimizer.applyGradients(gradients)).toThrow(
    'diffGrad: the variable gone was disposed of',
  )
  tf.variable(tf.ones([3, 2]), true, 'gone')
  expect(() => optimizer.applyGradients(gradients)).toThrow(
    'diffGrad: the variable gone was disposed of',
  )
})

test('refuses to train integers', () => {
  tf.variable(tf.ones([2], 'int32'), true, 'whole')
  expect(() => new DiffGrad().applyGradients({ whole: tf.ones([2]) })).toThrow(
    'diffGrad: the variable whole is of int32',
  )
})

test('options out of range are refused at once', () => {
  expect(() => new DiffGrad({ beta1: 1 })).toThrow('diffGrad: beta1 must be in [0, 1), but is 1')
  expect(() => new DiffGrad({ memoryLength: 5 } as object)).toThrow(
    'diffGrad: has no option memoryLength',
  )
  expect(() => new DiffGrad().setLearningRate(-1)).toThrow(
    'diffGrad: learningRate must be a finite number, at least 0, but is -1',
  )
})

test('a group that selects no variable at all is refused at the first gradients', () => {
  const own = tf.variable(tf.ones([1]), true, 'own')
  const optimizer = (optional: boolean) =>
    new DiffGrad({ groups: [{ parameters: /Bias$/, weightDecay: 0, optional }] })
  const step = (optional: boolean) => optimizer(optional).applyGradients({ own: tf.ones([1]) })
  expect(() => step(false)).toThrow('diffGrad: /Bias$/ selects no parameter')
  expect(own.dataSync()[0]).toBe(1)
  expect(step(true)).toBe('updated')
  tf.variable(tf.ones([1]), true, 'frozenBias')
  expect(step(false)).toBe('updated')
})

test('refuses the configuration of another class, version or shape', () => {
  const load = (config: tf.serialization.ConfigDict) => () => DiffGrad.fromConfig(DiffGrad, config)
  expect(load(new AdaMod().getConfig())).toThrow('diffGrad: has no option memoryLength')
  expect(load({ rule: 'Adam', beta1: 0.8 })).toThrow('diffGrad: the configuration is of Adam')
  expect(load({ ...new DiffGrad().getConfig(), format: 2 })).toThrow(
    'diffGrad: the configuration has format 2, but only format 1 is known',
  )
  expect(load({ groups: [{ parameters: 'kernels' }] })).toThrow(
    'a group cannot be selected by "kernels"',
  )
})

test("refuses another optimizer's weights, and keeps its own", async () => {
  const { optimizer } = afterOneStep('kept')
  const before = await optimizer.stateDict()
  const builtIn = tf.train.adam()
  builtIn.applyGradients([{ name: 'kept', tensor: tf.ones([3, 2]) }] as never) // Its types are too narrow.
  await expect(optimizer.setWeights(await builtIn.getWeights())).rejects.toThrow(
    'diffGrad: the weights are of another optimizer: the second is kept/m, not state',
  )
  const adam = new Adam()
  adam.applyGradients({ kept: tf.ones([3, 2]) })
  await expect(optimizer.setWeights(await adam.getWeights())).rejects.toThrow(
    'diffGrad: the state is of Adam',
  )
  const { own, optimizer: other } = afterOneStep('longer')
  own.dispose()
  await expect(optimizer.setWeights((await other.getWeights()).slice(0, -1))).rejects.toThrow(
    'diffGrad: the weights are of another optimizer: there is no longer/previousGradient',
  )
  expect(await optimizer.stateDict()).toEqual(before)
})

test('refuses a state of other shapes, or of other numbers', async () => {
  const { optimizer } = afterOneStep('shaped')
  const { parameters, ...position } = await optimizer.stateDict()
  const { state, ...rest } = parameters.shaped
  const changed = (m: Float32Array | Float64Array) => ({
    ...position,
    parameters: { shaped: { ...rest, state: { ...state, m } } },
  })
  expect(() => optimizer.loadStateDict(changed(new Float32Array(5)))).toThrow(
    'the state has a float32 tensor of shape [5] as m of shaped, but it must be a float32 tensor of shape [3,2]',
  )
  expect(() => optimizer.loadStateDict(changed(new Float64Array(6)))).toThrow(
    'diffGrad: the state of shaped is not of Float32Array',
  )
})

test('refuses a variable that its saved state does not fit, every time', async () => {
  const { own, optimizer } = afterOneStep('resumed')
  const state = await optimizer.stateDict()
  own.dispose()
  tf.variable(tf.ones([2]), true, 'resumed')
  const [resumed, gradients] = [new DiffGrad(), { resumed: tf.ones([2]) }]
  resumed.loadStateDict(state)
  const { numTensors } = tf.memory()
  for (let again = 0; again < 2; again++) {
    expect(() => resumed.applyGradients(gradients)).toThrow(
      'diffGrad: the state has a float32 tensor of shape [6] as m of resumed, but it must be a float32 tensor of shape [2]',
    )
    expect(tf.memory().numTensors).toBe(numTensors)
    expect(await resumed.stateDict()).toEqual(state)
  }
})

test('swapping needs the option ema, and swapped weights cannot step', () => {
  const { own, optimizer } = afterOneStep('averaged')
  expect(() => optimizer.swapAverage()).toThrow('swapAverage needs the option ema')
  const averaging = new DiffGrad({ ema: { decay: 0.5 } })
  averaging.bind([own])
  averaging.swapAverage()
  expect(() => averaging.applyGradients({ averaged: tf.ones([3, 2]) })).toThrow(
    'diffGrad: cannot step while the weights are swapped with their average',
  )
})

test('a group that is selected by a function trains, but cannot be saved', () => {
  const own = tf.variable(tf.ones([2]), true, 'chosen')
  const optimizer = new DiffGrad({
    groups: [{ parameters: ({ name }) => name === 'chosen', learningRate: 0.5 }],
  })
  optimizer.bind([own])
  expect(optimizer.hyperparameters('chosen').learningRate).toBe(0.5)
  expect(() => optimizer.getConfig()).toThrow(
    'diffGrad: a group that is selected by a function cannot be saved; select it by a RegExp or names',
  )
})

test('refuses a state, options of loading or gradients that are no objects, and changes nothing', async () => {
  const { optimizer } = afterOneStep('entire')
  const before = await optimizer.stateDict()
  const ofEntire = (entry: object | null) => ({ ...before, parameters: { entire: entry } })
  const wrong: readonly (readonly [state: unknown, message: string])[] = [
    [undefined, 'the state must be a state dict, but is undefined'],
    [null, 'the state must be a state dict, but is null'],
    [{ ...before, parameters: undefined }, 'the state has undefined as its parameters'],
    [ofEntire(null), 'the state has null as the parameter entire'],
    [
      ofEntire({ ...before.parameters.entire, state: null }),
      'the state has null as the state of entire',
    ],
    [
      ofEntire({ ...before.parameters.entire, options: null }),
      'the state has null as the options of entire',
    ],
  ]
  const refusal = (message: string) => new TypeError(`diffGrad: ${message}`)
  for (const [state, message] of wrong) {
    expect(() => optimizer.loadStateDict(state as never)).toThrow(refusal(message))
  }
  expect(() => optimizer.loadStateDict(before, null as never)).toThrow(
    refusal('loadStateDict: options must be an object such as { strict: false }, but are null'),
  )
  for (const gradients of [undefined, null]) {
    const message = `gradients must be an object of tensors by name, or a list of { name, tensor }, but are ${gradients}`
    expect(() => optimizer.applyGradients(gradients as never)).toThrow(refusal(message))
    await expect(optimizer.inspect(gradients as never)).rejects.toThrow(refusal(message))
  }
  expect(() => optimizer.applyGradients([null] as never)).toThrow(
    refusal('a gradient must be an object { name, tensor }, but gradient 1 is null'),
  )
  expect(await optimizer.stateDict()).toEqual(before)
})

test('refuses wrong options in the state of a variable that does not exist yet, at once', async () => {
  const own = tf.variable(tf.ones([2]), true, 'later')
  const saving = new Adam({ learningRate: 0.5 })
  saving.bind([own])
  const state = await saving.stateDict()
  const { later } = state.parameters
  const options = { ...later.options, learningRate: 'x' }
  const wrong = { ...state, parameters: { later: { ...later, options } } } as never
  const loading = new Adam()
  const reason = 'Adam: learningRate must be a finite number, at least 0, or a schedule, but is x'
  expect(() => loading.loadStateDict(wrong)).toThrow(reason)
  expect(loading.loadStateDict(wrong, { strict: false })).toEqual({
    missing: [],
    unexpected: ['later'],
    mismatched: [{ name: 'later', reason }],
  })
  expect(loading.learningRate).toBe(new Adam().learningRate)
  loading.loadStateDict(state)
  const before = await loading.stateDict()
  expect(() => loading.set({ amsgrad: true })).toThrow(
    'Adam: amsgrad selects the optimizer state and cannot change',
  )
  expect(await loading.stateDict()).toEqual(before)
  loading.bind([own])
  expect(loading.hyperparameters('later')).toMatchObject({ learningRate: 0.5, amsgrad: false })
})
