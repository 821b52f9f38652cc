import { expect, test } from 'vitest'
import { DiffGrad, noDecayOnBiasAndNorm, SGD } from '../src/index.ts'

const gradient = (t: number): Float32Array => Float32Array.of(Math.sin(t), Math.cos(t))

test('a parameter that is added later moves as it would in an optimizer of its own', () => {
  const options = { learningRate: 0.1, clip: { by: 'norm', limit: 0.5 } } as const
  const [first, later, alone] = [0, 0, 0].map(() => Float32Array.of(1, 2))
  const optimizer: DiffGrad = new DiffGrad({ first }, options)
  const own = new DiffGrad({ later: alone }, options)
  optimizer.step({ first: gradient(1) })
  optimizer.add([{ name: 'later', value: later }])
  for (let t = 2; t < 9; t++) {
    optimizer.step({ first: gradient(t), later: gradient(t) })
    own.step({ later: gradient(t) })
  }
  expect(later).toEqual(alone)
  expect(optimizer.stateDict().parameters.later.step).toBe(7)
})

test('slow and average weights of an added parameter start at its value', () => {
  const [x, y] = [Float32Array.of(8), Float32Array.of(4)]
  const optimizer: SGD = new SGD({ x }, { learningRate: 1, ema: { decay: 0.5 } })
  optimizer.step({ x: Float32Array.of(1) })
  optimizer.add([{ name: 'y', value: y }])
  optimizer.step({ y: Float32Array.of(2) })
  optimizer.swapAverage()
  expect(y[0]).toBe(3)
})

test('an added parameter has the settings that were changed before', () => {
  const optimizer: SGD = new SGD(
    { a: new Float32Array(1) },
    { weightDecay: 0.1, groups: [noDecayOnBiasAndNorm] },
  )
  optimizer.set({ learningRate: 0.5 })
  optimizer.set({ weightDecay: 0.25 }, /bias|a/)
  optimizer.add([
    { name: 'bias', value: new Float32Array(1) },
    { name: 'c', value: new Float32Array(1) },
  ])
  expect(optimizer.hyperparameters('bias')).toMatchObject({ learningRate: 0.5, weightDecay: 0.25 })
  expect(optimizer.hyperparameters('c')).toMatchObject({ learningRate: 0.5, weightDecay: 0.1 })
})

test('an optimizer that is made from the configuration has the current settings', () => {
  const optimizer: SGD = new SGD(
    { a: new Float32Array(1) },
    { groups: [{ parameters: /a/, weightDecay: 0.5 }] },
  )
  optimizer.set({ learningRate: 0.5 })
  optimizer.set({ weightDecay: 0.25 }, /a/)
  const again = new SGD({ a: new Float32Array(1) }, optimizer.options)
  expect(again.hyperparameters('a')).toEqual(optimizer.hyperparameters('a'))
})

test('a loaded state sets the settings of its own parameters, not of those added later', () => {
  const saved = new SGD({ a: new Float32Array(1) }, { learningRate: 0.01 }).stateDict()
  const optimizer: SGD = new SGD({ a: new Float32Array(1) }, { learningRate: 0.5 })
  optimizer.loadStateDict(saved)
  optimizer.add([{ name: 'b', value: new Float32Array(1) }])
  const rates = ['a', 'b'].map((name) => optimizer.hyperparameters(name).learningRate)
  expect([...rates, optimizer.options.learningRate]).toEqual([0.01, 0.5, 0.5])
})

test('a setting that is undefined stays as it was, also for parameters added later', () => {
  const optimizer: SGD = new SGD({ a: new Float32Array(1) }, { learningRate: 0.5 })
  optimizer.set({ learningRate: undefined, weightDecay: 0.1 } as object)
  optimizer.add([{ name: 'b', value: new Float32Array(1) }])
  expect(optimizer.hyperparameters('b')).toEqual(optimizer.hyperparameters('a'))
  expect(optimizer.hyperparameters('b')).toMatchObject({ learningRate: 0.5, weightDecay: 0.1 })
})

test.each([
  ['list', () => ['head']],
  ['expression', () => /head/],
])('settings changed by the same %s stay one group', (_, select) => {
  const head = { head: new Float32Array(1) }
  const optimizer: SGD = new SGD(head)
  for (let t = 0; t < 5; t++) optimizer.set({ learningRate: t }, select())
  optimizer.set({ learningRate: 7 }, /HEAD/i)
  expect(optimizer.options.groups).toEqual([
    { parameters: select(), learningRate: 4 },
    { parameters: /HEAD/i, learningRate: 7 },
  ])
})

test('refuses to add what cannot be trained, or is already trained', () => {
  const a = new Float32Array(2)
  const optimizer: SGD = new SGD({ a })
  const add = (name: string, value: unknown) => () =>
    optimizer.add([{ name, value: value as never }])
  expect(add('a', new Float32Array(2))).toThrow('SGD: two parameters are called a')
  expect(add('b', a.subarray(1))).toThrow('SGD: the parameters a and b share memory')
  expect(add('b', [1])).toThrow('SGD: the parameter b must be a Float32Array or a Float64Array')
  expect(() => optimizer.step({ b: a })).toThrow('SGD: no parameter is called b, but a gradient is')
})

test('the state is the arrays themselves, not copies', () => {
  const optimizer: DiffGrad = new DiffGrad({ a: Float32Array.of(1) })
  const { previousGradient } = optimizer.state('a')
  optimizer.step({ a: Float32Array.of(5) })
  expect(previousGradient[0]).toBe(5)
  expect(() => optimizer.state('b')).toThrow('diffGrad: no parameter is called b')
})

test.each(['wasm', 'javascript', 'interpreter'] as const)(
  'a parameter that is replaced by one of another length continues with its mapped state: %s',
  (kernel) => {
    const twice = (elements: ArrayLike<number>): Float32Array =>
      Float32Array.from({ length: 2 * elements.length }, (_, i) => elements[i >> 1])
    const other = (): Float32Array => Float32Array.of(7, 8, 9)
    const [points, whole] = [gradient(20), gradient(20)]
    const options = { learningRate: 0.1, ema: { decay: 0.5 }, kernel } as const
    const optimizer = new DiffGrad({ points, other: other() }, options)
    const undivided = new DiffGrad({ whole, other: other() }, options)
    for (let t = 0; t < 3; t++) {
      optimizer.step({ points: gradient(t), other: other() })
      undivided.step({ whole: gradient(t), other: other() })
    }
    const split = twice(points)
    optimizer.replace({ name: 'points', value: split }, twice)
    for (let t = 3; t < 40; t++) {
      optimizer.step({ points: twice(gradient(t)), other: other() })
      undivided.step({ whole: gradient(t), other: other() })
    }
    expect(split).toEqual(twice(whole))
    const [state, expected] = [optimizer.stateDict().parameters, undivided.stateDict().parameters]
    expect(state.other).toEqual(expected.other)
    for (const [name, elements] of Object.entries(expected.whole.state)) {
      expect(state.points.state[name]).toEqual(twice(elements))
    }
    optimizer.remove(['other'])
    optimizer.step({ points: twice(gradient(40)) })
    undivided.step({ whole: gradient(40) })
    expect(split).toEqual(twice(whole))
  },
)
