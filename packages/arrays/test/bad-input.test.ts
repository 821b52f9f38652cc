import { expect, test } from 'vitest'
import {
  Adam,
  Adan,
  ArraysOptimizer,
  DiffGrad,
  diffGrad,
  Lion,
  linear,
  Ranger,
  SGD,
  type StateDict,
} from '../src/index.ts'

const options = { learningRate: 0.1, accumulate: 2, ema: { decay: 0.9 } }

/** An optimizer after three calls of `step`, with one accumulated gradient. */
function started(): { optimizer: DiffGrad; weights: Float32Array; bias: Float64Array } {
  const [weights, bias] = [Float32Array.of(1, 2, 3), Float64Array.of(0.5)]
  const optimizer = new DiffGrad({ weights, bias }, options)
  for (const scale of [1, -2, 3]) {
    optimizer.step({ weights: Float32Array.of(scale, 1, 0), bias: Float64Array.of(scale) })
  }
  return { optimizer, weights, bias }
}

const detached = (): Float32Array => {
  const array = new Float32Array(3)
  structuredClone(array, { transfer: [array.buffer] })
  return array
}

test.each([
  [
    { learningRate: Number.NaN },
    'diffGrad: learningRate must be a finite number, at least 0, but is NaN',
  ],
  [{ learningRate: -1 }, 'diffGrad: learningRate must be a finite number, at least 0, but is -1'],
  [{ beta1: 1 }, 'diffGrad: beta1 must be in [0, 1), but is 1'],
  [{ beta2: -0.1 }, 'diffGrad: beta2 must be in [0, 1), but is -0.1'],
  [{ epsilon: 0 }, 'diffGrad: epsilon must be a finite number, at least 1e-36, but is 0'],
  [{ epsilon: 1e-46 }, 'diffGrad: epsilon must be a finite number, at least 1e-36, but is 1e-46'],
  [{ version: 3 }, 'diffGrad: version must be 0 or 1 or 2, but is 3'],
  [{ decay: 'L2' }, 'diffGrad: decay must be l2 or decoupled, but is L2'],
  [{ accumulate: 0 }, 'diffGrad: accumulate must be a whole number, at least 1, but is 0'],
  [
    { clip: { by: 'norm', limit: 0 } },
    'diffGrad: clip.limit must be a finite number above 0, but is 0',
  ],
  [{ lookahead: { every: 5, alpha: 2 } }, 'diffGrad: lookahead.alpha must be in (0, 1], but is 2'],
  [
    { groups: [{ parameters: ['wieghts'] }] },
    'diffGrad: wieghts is selected, but is not a parameter',
  ],
  [{ toString: 1 }, /diffGrad: has no option toString; it has learningRate,/],
  [
    { beta2: { kind: 'constant', value: 0.9 } },
    'diffGrad: beta2 cannot follow a schedule; learningRate, weightDecay, beta1 can',
  ],
  [
    { learningRate: { kind: 'warmRestarts', from: 1, to: 0, steps: 0, growth: 1 } },
    'diffGrad: learningRate: steps must be a whole number, at least 1, but is 0',
  ],
  [
    { learningRate: { kind: 'triangle' } },
    /^diffGrad: learningRate: the kind of a schedule must be constant or .* or join, but is triangle$/,
  ],
  [
    { groups: [{ parameters: /nothing/, learningRate: -5 }] },
    'diffGrad: learningRate must be a finite number, at least 0, but is -5',
  ],
  [{ groups: {} }, 'diffGrad: groups must be a list, but is {}'],
  [{ groups: [null] }, 'diffGrad: a group must be an object, but is null'],
  [{ clip: null }, 'diffGrad: clip must be false or { by, limit }, but is null'],
  [{ clip: { by: 'norm', limit: 1, max: 2 } }, 'diffGrad: clip has no option max'],
  [
    { learning_rate: 1 },
    'diffGrad: has no option learning_rate; it has learningRate, weightDecay, decay, beta1, beta2, epsilon, version, aliased',
  ],
])('refuses %o', (wrong, message) => {
  const make = () => new DiffGrad({ weights: new Float32Array(3) }, wrong as object)
  expect(make).toThrow(RangeError)
  expect(make).toThrow(message)
})

test.each([
  [
    { w: Int32Array.of(1) },
    'diffGrad: the parameter w must be a Float32Array or a Float64Array, but is Int32Array(1)',
  ],
  [
    { w: [1, 2] },
    'diffGrad: the parameter w must be a Float32Array or a Float64Array, but is a plain array',
  ],
  [
    { w: undefined },
    'diffGrad: the parameter w must be a Float32Array or a Float64Array, but is undefined',
  ],
  [{ w: Object.freeze(new Float32Array(0)) }, 'diffGrad: the parameter w is frozen'],
  [{ w: detached() }, 'diffGrad: the parameter w has a detached buffer'],
  [
    { w: { values: new Float32Array(6), shape: [2, 4] } },
    'diffGrad: the parameter w is Float32Array(6), which has no shape [2,4]',
  ],
  [
    [
      ['w', new Float32Array(1)],
      ['w', new Float32Array(1)],
    ],
    'diffGrad: two parameters are called w',
  ],
])('refuses to train %o', (parameters, message) => {
  const make = () => new ArraysOptimizer(diffGrad, parameters as never)
  expect(make).toThrow(new TypeError(message))
})

test.each([
  [
    () => new DiffGrad({ w: { values: new Float32Array(6), shape: [-2, -3] } }),
    'diffGrad: the parameter w is Float32Array(6), which has no shape [-2,-3]',
  ],
  [
    () => new DiffGrad({ w: null as never }),
    'diffGrad: the parameter w must be a Float32Array or a Float64Array, but is null',
  ],
  [
    () => new DiffGrad(Float32Array.of(1) as never),
    'diffGrad: parameters must be an object or a list of pairs, but are a list of numbers',
  ],
  [
    () => new DiffGrad({ w: new Float32Array(1) }, { groups: [{ parameters: 'w' as never }] }),
    'diffGrad: parameters are selected by a RegExp, a list of names or a function, not by w',
  ],
  [
    () => new Ranger({ w: new Float32Array(1) }),
    'Ranger: to centralize its gradient, the shape of w is needed',
  ],
  [
    () => new SGD({ w: new Float32Array(1) }, { nesterov: true }),
    'SGD: nesterov needs a momentum above 0',
  ],
  [
    () => new Lion({ w: new Float32Array(1) }, { decay: 'l2', weightDecay: 0.1 }),
    'Lion: decay must be decoupled, because an L2 decay only changes signs, but is l2',
  ],
  [
    () => new Adan({ w: new Float32Array(1) }, { decay: 'l2' }),
    'Adan: decay must be proximal or decoupled, but is l2',
  ],
  [
    () => new SGD({ w: new Float32Array(1) }, { decay: 'proximal' }),
    'SGD: decay must be l2 or decoupled, but is proximal',
  ],
])('refuses parameters that cannot be trained with these options', (make, message) => {
  expect(make).toThrow(message)
})

test('parameters and gradients may be Maps, and have any names', () => {
  const [odd, bias] = [Float32Array.of(1), Float32Array.of(1)]
  const optimizer = new SGD(
    new Map([
      ['constructor', odd],
      ['bias', bias],
    ]),
    {
      learningRate: 1,
    },
  )
  optimizer.step(new Map([['bias', Float32Array.of(1)]]))
  expect([odd[0], bias[0]]).toEqual([1, 0])
  optimizer.step({ constructor: Float32Array.of(1) })
  expect([odd[0], bias[0]]).toEqual([0, 0])
})

test.each(['auto', 'javascript', 'interpreter'] as const)(
  'with the smallest epsilon and the largest beta2, a zero gradient moves nothing: %s',
  (kernel) => {
    const options = { epsilon: 1e-36, beta2: 1 - Number.EPSILON / 2, kernel }
    for (const Class of [Adam, DiffGrad]) {
      const x = Float32Array.of(1)
      new Class({ x }, options).step({ x: Float32Array.of(0) })
      expect(x[0]).toBe(1)
    }
    const adam = new Adam({ x: Float32Array.of(1) })
    expect(() => adam.set({ epsilon: 1e-46 })).toThrow('Adam: epsilon must be a finite number')
  },
)

test('refuses parameters that share memory', () => {
  const all = new Float32Array(6)
  const make = () => new DiffGrad({ a: all.subarray(0, 4), b: all.subarray(3) })
  expect(make).toThrow(new TypeError('diffGrad: the parameters a and b share memory'))
  expect(() => new DiffGrad({ a: all.subarray(0, 3), b: all.subarray(3) })).not.toThrow()
})

test('gradients in a frozen Map, whose entries can still change, are read at every step', () => {
  const w = Float32Array.of(1)
  const optimizer: SGD = new SGD({ w }, { learningRate: 1 })
  const gradients = Object.freeze(new Map([['w', Float32Array.of(2)]]))
  optimizer.step(gradients)
  gradients.set('w', Float32Array.of(10))
  optimizer.step(gradients)
  expect(w[0]).toBe(-11)
})

const refusedGradients: readonly (readonly [object, string])[] = [
  [
    { weights: new Float32Array(2) },
    'diffGrad: the gradient of weights must be Float32Array(3), but is Float32Array(2)',
  ],
  [
    { weights: new Float64Array(3) },
    'diffGrad: the gradient of weights must be Float32Array(3), but is Float64Array(3)',
  ],
  [
    { weights: Float32Array.of(1, 2, 3), bias: [1] },
    'diffGrad: the gradient of bias must be Float64Array(1), but is a plain array',
  ],
  [
    { weights: detached() },
    'diffGrad: the gradient of weights must be Float32Array(3), but is a Float32Array whose buffer is detached',
  ],
  [{ wieghts: new Float32Array(3) }, 'diffGrad: no parameter is called wieghts, but a gradient is'],
]

test.each(refusedGradients)('refuses %o, and nothing has changed', (gradients, message) => {
  const { optimizer, weights, bias } = started()
  const before = structuredClone([weights, bias, optimizer.stateDict()])
  expect(() => optimizer.step(gradients as never)).toThrow(new RangeError(message))
  expect([weights, bias, optimizer.stateDict()]).toEqual(before)
})

test('the error for a transferred buffer names the parameter', () => {
  const { optimizer, weights, bias } = started()
  structuredClone(weights, { transfer: [weights.buffer] })
  const before = structuredClone([bias, optimizer.stateDict()])
  expect(() => optimizer.step({ weights: new Float32Array(3), bias })).toThrow(
    new RangeError(
      'diffGrad: the parameter weights has lost its elements: its buffer is detached or shrunk',
    ),
  )
  expect([bias, optimizer.stateDict()]).toEqual(before)
})

test('a schedule that leaves its range stops the step before anything moves', () => {
  const weights = Float32Array.of(1)
  const beta1 = linear({ from: 0, to: 1, steps: 2 })
  const optimizer = new DiffGrad({ weights }, { beta1 })
  optimizer.step({ weights: Float32Array.of(1) })
  optimizer.step({ weights: Float32Array.of(1) })
  const before = structuredClone([weights, optimizer.stateDict()])
  expect(() => optimizer.step({ weights: Float32Array.of(1) })).toThrow(
    new RangeError('diffGrad: beta1 must be in [0, 1), but is 1'),
  )
  expect([weights, optimizer.stateDict()]).toEqual(before)
})

/** A state with some of one parameter's entries changed. */
const changed = (state: StateDict, parameter: string, changes: object): StateDict => ({
  ...state,
  parameters: { ...state.parameters, [parameter]: { ...state.parameters[parameter], ...changes } },
})

test('refuses a gradient that is itself a parameter', () => {
  const [x, y] = [Float32Array.of(1), Float32Array.of(2)]
  const optimizer = new SGD({ x, y }, { learningRate: 0.5 })
  expect(() => optimizer.step({ x: y, y: x })).toThrow(
    'SGD: the gradient of x is itself a parameter, which would move before it is read',
  )
  expect([x[0], y[0]]).toEqual([1, 2])
})

const refusedStates: readonly (readonly [string, (state: StateDict) => unknown, string])[] = [
  [
    'another rule',
    () => new Adam({ weights: new Float32Array(3) }).stateDict(),
    'diffGrad: the state is of Adam',
  ],
  [
    'another format',
    (state) => ({ ...state, format: 2 }),
    'diffGrad: the state has format 2, but only format 1 is known',
  ],
  [
    'another version of the rule',
    (state) =>
      ['weights', 'bias'].reduce((changing, name) => {
        const options = { ...state.parameters[name].options, version: 1 }
        return changed(changing, name, { options })
      }, state),
    'diffGrad: the state has version 1 for weights, but the optimizer has 0',
  ],
  [
    'another shape',
    (state) => {
      const weights = { ...state.parameters.weights.state, v: new Float32Array(4) }
      return changed(state, 'weights', { state: weights })
    },
    'diffGrad: the state has Float32Array(4) as v of weights, but it must be Float32Array(3)',
  ],
  [
    'another precision',
    (state) => {
      const bias = { ...state.parameters.bias.state, m: new Float32Array(1) }
      return changed(state, 'bias', { state: bias })
    },
    'diffGrad: the state has Float32Array(1) as m of bias, but it must be Float64Array(1)',
  ],
  [
    'a missing slot',
    (state) => {
      const { v: _, ...bias } = state.parameters.bias.state
      return changed(state, 'bias', { state: bias })
    },
    'diffGrad: the state has m,previousGradient,gradient,ema of bias, but the optimizer has m,v,previousGradient,gradient,ema',
  ],
  [
    'a missing parameter',
    ({ parameters: { bias: _, ...parameters }, ...state }) => ({ ...state, parameters }),
    'diffGrad: the state has no parameter bias',
  ],
  [
    'an unexpected parameter',
    (state) => changed(state, 'extra', state.parameters.bias),
    'diffGrad: the state has an unexpected parameter extra',
  ],
  [
    'settings of its own for one parameter of a group',
    (state) =>
      changed(state, 'bias', { options: { ...state.parameters.bias.options, learningRate: 2 } }),
    'diffGrad: the state has other options for bias than for weights',
  ],
  [
    'no transforms',
    ({ transforms: _, ...state }) => state,
    'diffGrad: the state has undefined as its transforms',
  ],
  [
    'less than no updates',
    (state) => ({ ...state, updates: -3 }),
    'diffGrad: the state has -3 as the number of updates',
  ],
  [
    'a gradient although none is accumulated',
    (state) => ({ ...state, accumulated: 0 }),
    'diffGrad: the state has a gradient of weights, but no accumulated calls',
  ],
  [
    'more accumulated gradients than an update takes',
    (state) => ({ ...state, accumulated: 2 }),
    'diffGrad: the state has accumulated 2 of 2 calls, but the optimizer accumulates 2',
  ],
]

test.each(refusedStates)(
  'refuses a state with %s, and nothing has changed',
  (_, spoil, message) => {
    const { optimizer, weights, bias } = started()
    const before = structuredClone([weights, bias, optimizer.stateDict()])
    const spoiled = spoil(optimizer.stateDict()) as StateDict
    expect(() => optimizer.loadStateDict(spoiled)).toThrow(new TypeError(message))
    expect([weights, bias, optimizer.stateDict()]).toEqual(before)
  },
)

test('refuses to step on averaged weights, and to swap without an average', () => {
  const { optimizer, weights, bias } = started()
  optimizer.swapAverage()
  expect(() => optimizer.step({ weights, bias })).toThrow(
    'diffGrad: cannot step while the weights are swapped with their average',
  )
  const plain = new DiffGrad({ weights })
  expect(() => plain.swapAverage()).toThrow('diffGrad: swapAverage needs the option ema')
})

test('set refuses what cannot change, and changes the rest', () => {
  const { optimizer } = started()
  expect(() => optimizer.set({ learningRate: 1 }, ['bias'])).toThrow(
    'diffGrad: bias shares its options with weights; pass it as a group of its own to the constructor',
  )
  expect(() => optimizer.set({ beta1: 1 })).toThrow('diffGrad: beta1 must be in [0, 1), but is 1')
  expect(() => optimizer.set({ learningRate: 1 }, ['wieghts'])).toThrow(
    'diffGrad: wieghts is selected, but is not a parameter',
  )
  expect(() => optimizer.set({ learningRate: 1 }, /wieghts/)).toThrow(
    'diffGrad: /wieghts/ selects no parameter',
  )
  optimizer.set({ learningRate: 0.25 })
  expect(optimizer.hyperparameters('bias').learningRate).toBe(0.25)
  const adam = new Adam({ weights: new Float32Array(1) })
  expect(() => adam.set({ amsgrad: true })).toThrow(
    'Adam: amsgrad selects the optimizer state and cannot change',
  )
})

test.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses a loss of %s', (loss) => {
  expect(() => started().optimizer.report(loss)).toThrow(
    new RangeError(`diffGrad: the reported loss must be a finite number, but is ${loss}`),
  )
})
