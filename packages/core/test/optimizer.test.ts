import { expect, expectTypeOf, test } from 'vitest'
import {
  adam,
  arraySignature,
  type Backend,
  constant,
  cosine,
  defineRule,
  diffGrad,
  euclideanNorm,
  join,
  lambda,
  linear,
  lion,
  nadam,
  noDecayOnBiasAndNorm,
  numbers,
  Optimizer,
  type OptimizerOptions,
  type Parameter,
  plateau,
  type RuleGroup,
  ranger,
  type StateDict,
  scheduleFreeAdamW,
  scheduleFreeSgd,
  scheduleValue,
  sgd,
  startAt,
  warmRestarts,
} from '../src/index.ts'

const freed: Float64Array[] = []

const lists: Backend<Float64Array, Float64Array>['zeros'] = (like, names) =>
  Object.fromEntries(
    names.map((name) => [name, like.map(({ length }) => new Float64Array(length))]),
  )

/** Evaluates kernels element by element, on arrays in double precision. */
const backend: Backend<Float64Array, Float64Array> = {
  mismatch: (parameter, gradient) =>
    arraySignature(parameter) === arraySignature(gradient as Float64Array)
      ? undefined
      : 'does not fit',
  zeros: lists,
  scratch: lists,
  free: (arrays) => freed.push(...arrays),
  apply(kernel, arrays, coefficients) {
    for (const [k, { length }] of arrays[kernel.writes[0]].entries()) {
      for (let i = 0; i < length; i++) {
        const read = kernel.reads.map((name) => [name, arrays[name][k][i]])
        const written = kernel.evaluate(numbers, Object.fromEntries(read), coefficients)
        for (const name of kernel.writes) arrays[name][k][i] = written[name]
      }
    }
  },
  norm: euclideanNorm,
  centralize() {},
  read: (array) => array.slice(),
  write: (array, elements) => array.set(elements),
  signature: arraySignature,
}

const F = (...elements: number[]): Float64Array => Float64Array.from(elements)

const named = <const Name extends string>(
  arrays: Readonly<Record<Name, Float64Array>>,
): Parameter<Float64Array, Name>[] =>
  Object.entries(arrays).map(([name, value]) => ({
    name: name as Name,
    value: value as Float64Array,
  })) // The entries of the record.

const make = (options?: unknown) =>
  new Optimizer(backend, sgd, named({ x: F(1) }), options as object)

const states = (): StateDict<Float64Array> =>
  new Optimizer(backend, diffGrad, named({ x: F(1) })).stateDict()

const load = (change: (state: StateDict<Float64Array>) => unknown, options?: unknown) => () =>
  new Optimizer(backend, diffGrad, named({ x: F(1) })).loadStateDict(
    change(states()) as StateDict<Float64Array>,
    options as object,
  )

const withParameter = (x: unknown) => (state: object) => ({ ...state, parameters: { x } })

const makeFree = (options: object) =>
  new Optimizer(backend, scheduleFreeSgd, named({ x: F(1) }), options)

const refusals: readonly (readonly [string, () => unknown, string])[] = [
  [
    'Schedule-Free whose gradients do not depend on the average',
    () => makeFree({ beta1: 0 }),
    'ScheduleFreeSGD: beta1 must be above 0, at most 1, but is 0',
  ],
  [
    'an EMA beside the evaluation point of a rule',
    () => makeFree({ ema: { decay: 0.5 } }),
    'ScheduleFreeSGD: ema must be false, because the rule averages its weights itself, but is {"decay":0.5}',
  ],
  [
    'Lookahead beside the evaluation point of the rule of a group',
    () =>
      make({
        lookahead: { every: 2, alpha: 0.5 },
        groups: [{ parameters: ['x'], rule: scheduleFreeAdamW }],
      }),
    'ScheduleFreeAdamW: lookahead must be false, because',
  ],
  [
    'dampening with Nesterov momentum, as torch does',
    () => make({ momentum: 0.9, nesterov: true, dampening: 0.5 }),
    'SGD: nesterov needs a dampening of 0, but it is 0.5',
  ],
  [
    'dampening without momentum',
    () => make({ dampening: 0.5 }),
    'SGD: dampening needs a momentum above 0',
  ],
  [
    'a limit of no skipped step',
    () => make({ skipNotFinite: { limit: 0 } }),
    'SGD: skipNotFinite.limit must be a whole number, at least 1, but is 0',
  ],
  [
    'a warm-up of the EMA without its power',
    () => make({ ema: { decay: 0.9, warmup: { gamma: 1 } } }),
    'SGD: ema.warmup must be omitted or { gamma, power }, both above 0, but is {"gamma":1}',
  ],
  [
    'a number as options',
    () => make(0.01),
    'SGD: options must be an object such as { learningRate: 0.01 }, but are 0.01',
  ],
  ['a Map as options', () => make(new Map([['learningRate', 1]])), 'but are a Map'],
  ['null as options', () => make(null), 'but are null'],
  ['a list as options', () => make([1]), 'but are [1]'],
  ['a function as options', () => make(() => 1), 'but are a function'],
  [
    'a function as learning rate',
    () => make({ learningRate: () => 1 }),
    'SGD: learningRate must be a finite number, at least 0, or a schedule, but is a function',
  ],
  ['a bigint', () => make({ learningRate: 1n }), 'or a schedule, but is 1n'],
  ['null as learning rate', () => make({ learningRate: null }), 'or a schedule, but is null'],
  ['a text as learning rate', () => make({ learningRate: '0.1' }), 'or a schedule, but is "0.1"'],
  [
    'a Map as learning rate',
    () => make({ learningRate: new Map() }),
    'or a schedule, but is a Map',
  ],
  [
    'a function in a schedule',
    () => make({ learningRate: { kind: 'constant', value: () => 1 } }),
    'SGD: learningRate: value must be a finite number, at least 0, but is a function',
  ],
  [
    'an unknown field of a schedule',
    () => make({ learningRate: { kind: 'constant', value: 1, end: 2 } }),
    'SGD: learningRate: a schedule of kind constant has no end; it has value, startStep',
  ],
  [
    'a number as a schedule to start',
    () => startAt(3, 0.1 as never),
    'startAt: a schedule must be an object with a kind, but is 0.1',
  ],
  [
    'a start that is no step',
    () => startAt(0.5, linear({ from: 1, steps: 2 })),
    'linear: startStep must be a whole number, at least 0, but is 0.5',
  ],
  [
    'an unknown option of a schedule',
    () => cosine({ from: 1, steps: 2, end: 0 } as never),
    'cosine: a schedule of kind cosine has no end',
  ],
  [
    'a function in a group',
    () => make({ groups: [{ parameters: /x/, momentum: () => 1 }] }),
    'SGD: momentum must be in [0, 1), or a schedule, but is a function',
  ],
  [
    'an unknown option',
    () => make({ emaa: true }),
    'SGD: has no option emaa; it has learningRate, weightDecay, decay, momentum, dampening, nesterov, and for all parameters together accumulate, centralize, clip, maximize, cautious, skipNotFinite, lookahead, ema, groups',
  ],
  [
    'a transform of a group',
    () => make({ groups: [{ parameters: /x/, ema: false }] }),
    'SGD: ema is an option of the constructor alone, for all parameters together',
  ],
  [
    'an unknown option of clip',
    () => make({ clip: { by: 'norm', limit: 1, max: 2 } }),
    'SGD: clip has no option max; it has by, limit',
  ],
  [
    'a Map as clip',
    () => make({ clip: new Map() }),
    'SGD: clip must be false or { by, limit }, but is a Map',
  ],
  [
    'a pattern that matches nothing',
    () => make({ groups: [{ parameters: /Bias$/ }] }),
    'SGD: /Bias$/ selects no parameter',
  ],
  [
    'a function that selects nothing',
    () => make({ groups: [{ parameters: () => false }] }),
    'SGD: the function () => false selects no parameter',
  ],
  ['an empty list', () => make({ groups: [{ parameters: [] }] }), 'SGD: [] selects no parameter'],
  [
    'optional that is no boolean',
    () => make({ groups: [{ parameters: /x/, optional: 1 }] }),
    'SGD: optional must be false or true, but is 1',
  ],
  [
    'set(5)',
    () => make().set(5 as never),
    'SGD: options must be an object such as { learningRate: 0.01 }, but are 5',
  ],
  [
    'a function to set',
    () => make().set({ learningRate: (() => 5) as never }),
    'or a schedule, but is a function',
  ],
  [
    'no gradients',
    () => make().step(undefined as never),
    'SGD: gradients must be an object or a list of pairs, but are undefined',
  ],
  [
    'an object to add',
    () => make().add({ z: F(1) } as never),
    'SGD: parameters must be a list of { name, value }, but are {"z":"Float64Array(1)"}',
  ],
  [
    'an array to add',
    () => make().add([F(1)] as never),
    'SGD: a parameter must be { name, value }, but is Float64Array(1)',
  ],
  [
    'a name that is taken',
    () => make().add(named({ x: F(1) })),
    'SGD: two parameters are called x',
  ],
  [
    'to remove an unknown name',
    () => make().remove(['y'] as never),
    'SGD: y is selected, but is not a parameter',
  ],
  [
    'to replace an unknown name',
    () => make().replace({ name: 'y' as never, value: F(1) }, (e) => e),
    'SGD: no parameter is called y',
  ],
  [
    'to replace without a map',
    () => make().replace({ name: 'x', value: F(1) }, undefined as never),
    'SGD: replace needs a function that maps the state of x, but has undefined',
  ],
  ['no state', load(() => undefined), 'diffGrad: the state must be a state dict, but is undefined'],
  [
    'null as a parameter',
    load(withParameter(null)),
    'diffGrad: the state has null as the parameter x',
  ],
  [
    'null as the state',
    load((s) => withParameter({ ...s.parameters.x, state: null })(s)),
    'diffGrad: the state has null as the state of x',
  ],
  [
    'a list as options of a state',
    load((s) => withParameter({ ...s.parameters.x, options: [] })(s)),
    'diffGrad: the state has [] as the options of x',
  ],
  [
    'a state through JSON',
    load((s) => JSON.parse(JSON.stringify(s))),
    'diffGrad: the state has an object that is not a typed array as m of x, but it must be Float64Array(1)',
  ],
  [
    'an unknown way to load',
    load((s) => s, { partial: true }),
    'diffGrad: loadStateDict: has no option partial; it has strict, transforms',
  ],
  [
    'a wrong way to load',
    load((s) => s, { transforms: 'both' }),
    'diffGrad: loadStateDict: transforms must be same or keep or load, but is both',
  ],
]

test.each(refusals)('refuses %s', (_, run, message) => {
  expect(run).toThrow(message)
})

test('a group of parameters that come later must be optional, or is checked at the first step', () => {
  const options = { groups: [{ parameters: /bias/, learningRate: 0.5 }] }
  const later = new Optimizer(backend, sgd, [], options)
  later.add(named({ w: F(1) }))
  expect(() => later.step({ w: F(1) })).toThrow('SGD: /bias/ selects no parameter')
  expect(later.updates).toBe(0)
  later.add(named({ bias: F(1) }))
  later.step({ w: F(1) })
  const optional = { groups: [{ ...options.groups[0], optional: true }, noDecayOnBiasAndNorm] }
  const given: Optimizer<Float64Array, (typeof sgd)['defaults'], Float64Array> = new Optimizer(
    backend,
    sgd,
    named({ w: F(1) }),
    optional,
  )
  given.add(named({ bias: F(1) }))
  expect(given.hyperparameters('bias').learningRate).toBe(0.5)
})

test('a schedule set later starts there, also for parameters added and in the options', () => {
  const optimizer = new Optimizer(backend, sgd, named({ x: F(0) }), {})
  for (let t = 0; t < 100; t++) optimizer.step({ x: F(0) })
  const rates = (): number => optimizer.hyperparameters('x').learningRate
  optimizer.set({ learningRate: linear({ from: 1, steps: 4 }) })
  expect(rates()).toBe(1)
  optimizer.step({ x: F(0) })
  expect(rates()).toBe(0.75)
  expect(optimizer.options.learningRate).toEqual(startAt(100, linear({ from: 1, steps: 4 })))
  optimizer.add(named({ y: F(0) }))
  expect(optimizer.hyperparameters('y' as never).learningRate).toBe(0.75)
  optimizer.add(named({ z: F(0) }), { learningRate: linear({ from: 1, steps: 2 }) })
  optimizer.step({ x: F(0) })
  expect([rates(), optimizer.hyperparameters('z' as never).learningRate]).toEqual([0.5, 0.5])
  optimizer.set({ learningRate: startAt(0, linear({ from: 1, steps: 204 })) })
  expect(rates()).toBe(0.5)
})

test('a loaded plateau continues for parameters added later', () => {
  const options = { learningRate: plateau({ from: 1, factor: 0.5, patience: 0 }) }
  const first = new Optimizer(backend, sgd, named({ x: F(0) }), options)
  for (const loss of [1, 2, 3]) first.report(loss)
  const second = new Optimizer(backend, sgd, named({ x: F(0) }), options)
  second.loadStateDict(first.stateDict())
  second.add(named({ y: F(0) }))
  expect(second.hyperparameters('y' as never).learningRate).toBe(0.25)
})

test('a state dict needs the function of a schedule again, and keeps where it starts', () => {
  const rate = (step: number): number => 1 / (1 + step)
  const first = new Optimizer(backend, sgd, named({ x: F(0) }), { momentum: lambda(() => 0.5) })
  first.step({ x: F(1) })
  first.set({ learningRate: lambda(rate) })
  const json = JSON.parse(JSON.stringify({ ...first.stateDict(), parameters: {} }))
  const saved = { ...json, parameters: first.stateDict().parameters }
  expect(saved.parameters.x.options.learningRate).toEqual({ kind: 'lambda', startStep: 1 })
  const second = new Optimizer(backend, sgd, named({ x: F(0) }), first.options)
  second.loadStateDict(saved)
  second.add(named({ y: F(0) }))
  second.step({ x: F(1) })
  for (const name of ['x', 'y'] as const) {
    expect(second.hyperparameters(name as 'x')).toMatchObject({ learningRate: 0.5, momentum: 0.5 })
  }
  const without = new Optimizer(backend, sgd, named({ x: F(0) }), {
    learningRate: 1,
    momentum: 0.5,
  })
  expect(() => without.loadStateDict(saved)).toThrow(
    new TypeError(
      'SGD: the state has a function as the learningRate of x, which is not saved; the optimizer needs it: learningRate: lambda(…)',
    ),
  )
})

test('added parameters may have options of their own, which survive a change of all others', () => {
  const optimizer = new Optimizer(backend, sgd, named({ x: F(0) }), { learningRate: 1 })
  optimizer.add(named({ y: F(0) }), { learningRate: 0.25 })
  optimizer.set({ weightDecay: 0.5 })
  expect(optimizer.hyperparameters('y' as never)).toMatchObject({
    learningRate: 0.25,
    weightDecay: 0.5,
  })
  expect(optimizer.hyperparameters('x')).toMatchObject({ learningRate: 1, weightDecay: 0.5 })
  expect(() => optimizer.add(named({ z: F(0) }), { beta1: 0.5 } as object)).toThrow(
    'has no option beta1',
  )
  expect(() => optimizer.hyperparameters('z' as never)).toThrow('no parameter is called z')
})

/** Gradients that differ from step to step. */
const gradient = (t: number, length: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => Math.sin(t + 2 * i))

test('gradients of the previous call are not matched again, and every change of them is noticed', () => {
  const checked: Float64Array[] = []
  const applied: (readonly Float64Array[])[] = []
  const watched: Backend<Float64Array, Float64Array> = {
    ...backend,
    overlap(array) {
      checked.push(array)
      return undefined
    },
    apply(kernel, arrays, coefficients) {
      applied.push(arrays.g)
      backend.apply(kernel, arrays, coefficients)
    },
  }
  const [x, y] = [F(0), F(0, 0)]
  const optimizer = new Optimizer(watched, sgd, named({ x, y }), { learningRate: 1 })
  const gradients: Record<string, Float64Array | null> = { x: F(-1), y: F(-10, -10) }
  for (let t = 0; t < 3; t++) optimizer.step(gradients as object)
  optimizer.step({ ...gradients } as object)
  expect([x, y]).toEqual([F(4), F(40, 40)])
  expect(checked).toEqual([gradients.x, gradients.y])
  expect(new Set(applied).size).toBe(1)

  const moved = (change: () => void): readonly number[] => {
    const before = [x[0], y[0]]
    change()
    optimizer.step(gradients as object)
    return [x[0] - before[0], y[0] - before[1]]
  }
  const replace = (name: string, array: Float64Array | null) => () => {
    gradients[name] = array
  }
  expect(moved(replace('x', F(-2)))).toEqual([2, 10])
  expect(moved(replace('y', null))).toEqual([2, 0])
  expect(moved(replace('y', F(-3, -3)))).toEqual([2, 3])
  expect(moved(() => delete gradients.x)).toEqual([0, 3])
  expect(moved(replace('x', F(-5)))).toEqual([5, 3]) // Now in another order.
  expect(moved(() => gradients.y?.fill(-4))).toEqual([5, 4])
  expect(() => moved(replace('x', F(1, 1)))).toThrow('the gradient of x does not fit')
  expect(() => moved(replace('x', y))).toThrow('the gradient of x is itself a parameter')
  expect(moved(replace('x', F(-1)))).toEqual([1, 4])
  expect(() => moved(replace('z', F(1)))).toThrow('no parameter is called z, but a gradient is')
  delete gradients.z
  optimizer.remove(['y'])
  expect(moved(() => delete gradients.y)).toEqual([1, 0])
  expect(() => moved(replace('y', F(-1, -1)))).toThrow('no parameter is called y')
})

test('removed parameters no longer move, their arrays are freed, and others are not affected', () => {
  const [x, y, z, alone] = [F(1, 2), F(3), F(4), F(4)]
  const optimizer = new Optimizer(backend, adam, named({ x, y, z }), { ema: { decay: 0.5 } })
  const own = new Optimizer(backend, adam, named({ z: alone }), {})
  for (let t = 0; t < 3; t++) {
    optimizer.step({ x: gradient(t, 2), y: gradient(t, 1), z: gradient(t, 1) })
    own.step({ z: gradient(t, 1) })
  }
  const { m } = optimizer.state('y')
  optimizer.remove(['x', 'y'])
  expect(freed).toContain(m)
  expect(Object.keys(optimizer.stateDict().parameters)).toEqual(['z'])
  expect(() => optimizer.step({ y: F(1) })).toThrow('no parameter is called y')
  optimizer.step({ z: gradient(3, 1) })
  own.step({ z: gradient(3, 1) })
  expect(z).toEqual(alone)
  optimizer.add(named({ x }))
  expect(optimizer.stateDict().parameters.x.step).toBe(0)
})

test('removed parameters lose the options that list their names', () => {
  const parameters = named({ x: F(0), y: F(0), z: F(0) })
  const optimizer = new Optimizer(backend, adam, parameters, {
    groups: [
      { parameters: ['x', 'y'], learningRate: 2 },
      { parameters: ['y'], weightDecay: 0.5 },
      { parameters: /^[px]$/, beta1: 0.25 },
    ],
  })
  const optionsOf = (name: string) => optimizer.hyperparameters(name as never)
  optimizer.add(named({ p: F(0) }), { learningRate: 5 })
  expect(optionsOf('p').learningRate).toBe(5)
  optimizer.remove(/^[py]$/)
  expect(optimizer.options.groups).toEqual([
    { parameters: ['x'], learningRate: 2 },
    { parameters: /^[px]$/, beta1: 0.25 },
  ])
  const rest = new Optimizer(backend, adam, named({ x: F(0), z: F(0) }), optimizer.options)
  expect(rest.hyperparameters('x').learningRate).toBe(2)
  optimizer.add(named({ p: F(0), y: F(0) }))
  expect(optionsOf('p')).toMatchObject({ learningRate: 0.001, beta1: 0.25 })
  expect(optionsOf('y')).toMatchObject({ learningRate: 0.001, weightDecay: 0 })
  expect(optionsOf('x').learningRate).toBe(2)
})

test('a replaced parameter continues with its mapped state, step count and options', () => {
  // Splitting each element into two of equal state must move both as the one would have moved.
  const [x, split, y] = [F(1, 2), F(1, 1, 2, 2), F(5)]
  const twice = (elements: Float64Array): Float64Array =>
    Float64Array.from({ length: 2 * elements.length }, (_, i) => elements[i >> 1])
  const options = {
    accumulate: 2,
    lookahead: { every: 2, alpha: 0.5 },
    ema: { decay: 0.5 },
  } as const
  const optimizer = new Optimizer(backend, diffGrad, named({ x, y }), options)
  const whole = new Optimizer(backend, diffGrad, named({ x: F(1, 2) }), options)
  for (let t = 0; t < 5; t++) {
    optimizer.step({ x: gradient(t, 2), y: F(1) })
    whole.step({ x: gradient(t, 2) })
  }
  split.set(twice(x))
  const mapped: string[] = []
  const before = optimizer.stateDict()
  expect(() => optimizer.replace({ name: 'x', value: split }, (e) => e)).toThrow(
    'diffGrad: the new m of x must be Float64Array(4), but is Float64Array(2)',
  )
  expect(optimizer.stateDict()).toEqual(before)
  optimizer.replace({ name: 'x', value: split }, (elements, name) => {
    mapped.push(name)
    return twice(elements)
  })
  expect(mapped).toEqual(['m', 'v', 'previousGradient', 'gradient', 'slow', 'ema'])
  for (let t = 5; t < 12; t++) {
    optimizer.step({ x: twice(gradient(t, 2)), y: F(1) })
    whole.step({ x: gradient(t, 2) })
  }
  const { x: expected } = whole.stateDict().parameters
  const { x: actual } = optimizer.stateDict().parameters
  expect(actual.step).toBe(expected.step)
  for (const [name, elements] of Object.entries(expected.state)) {
    expect(actual.state[name]).toEqual(twice(elements))
  }
})

test('options, states and results are copied', () => {
  const clip = { by: 'value' as const, limit: 1 }
  const groups = [{ parameters: ['x'], learningRate: 1 }]
  const shape = [1]
  const x = F(0)
  const optimizer = new Optimizer(backend, sgd, [{ name: 'x', value: x, shape }], {
    clip,
    groups,
    centralize: true,
  })
  clip.limit = 7
  groups[0].learningRate = 7
  groups[0].parameters.push('y')
  shape.push(7)
  Object.assign(optimizer.hyperparameters('x'), { learningRate: 7 })
  const { options } = optimizer
  Object.assign(options.clip || {}, { limit: 7 })
  Object.assign(options.groups?.[0] ?? {}, { learningRate: 7 })
  const state = optimizer.stateDict()
  Object.assign(state.transforms.clip, { limit: 7 })
  Object.assign(state.parameters.x.options, { learningRate: 7 })
  optimizer.step({ x: F(10) })
  expect(x[0]).toBe(-1)
  expect(optimizer.options.groups).toEqual([{ parameters: ['x'], learningRate: 1 }])
  for (const { defaults } of [sgd, adam, diffGrad]) expect(Object.isFrozen(defaults)).toBe(true)
})

test('refuses to load a part of a state while the weights are swapped with their average', () => {
  const ema = { decay: 0.5 }
  const [x, y] = [F(1), F(2)]
  const optimizer = new Optimizer(backend, sgd, named({ x, y }), { learningRate: 1, ema })
  optimizer.step({ x: F(1), y: F(1) })
  optimizer.swapAverage()
  const before = optimizer.stateDict()
  const state = new Optimizer(backend, sgd, named({ x: F(1) }), { ema }).stateDict()
  for (const transforms of ['same', 'load'] as const) {
    expect(() => optimizer.loadStateDict(state, { strict: false, transforms })).toThrow(
      'SGD: cannot load a part of a state while the weights are swapped with their average',
    )
  }
  expect(optimizer.stateDict()).toEqual(before)
  optimizer.swapAverage()
  expect([x, y]).toEqual([F(0), F(1)])
  expect(optimizer.loadStateDict(state, { strict: false }).missing).toEqual(['y'])
})

test('transforms that a load drops and another one adds again start at the weights of kept parameters', () => {
  const [x, y] = [F(4), F(8)]
  const options = { ema: { decay: 0.5 }, lookahead: { every: 100, alpha: 0.5 } } as const
  const optimizer = new Optimizer(backend, sgd, named({ x, y }), { learningRate: 1, ...options })
  optimizer.step({ x: F(1), y: F(1) })
  const load = (transforms: object): void => {
    const { rule } = optimizer
    const state = new Optimizer(backend, rule, named({ x: F(4) }), {
      learningRate: 1,
      ...transforms,
    })
    optimizer.loadStateDict(state.stateDict(), { strict: false, transforms: 'load' })
  }
  load({})
  load(options)
  expect(Object.keys(optimizer.stateDict().parameters.y.state)).toEqual([])
  optimizer.step({ x: F(1), y: F(1) })
  expect(y).toEqual(F(6))
  expect(optimizer.state('y')).toEqual({ slow: F(7), ema: F(6.5) })
})

test('a load of a part of a state leaves the schedules of the other parameters where they are', () => {
  const options = { learningRate: cosine({ from: 1, steps: 50 }), momentum: 0.5 }
  const train = (count: number): StateDict<Float64Array> => {
    const trained = new Optimizer(backend, sgd, named({ x: F(0) }), options)
    for (let t = 0; t < count; t++) trained.step({ x: F(0) })
    return trained.stateDict()
  }
  const optimizer = new Optimizer(backend, sgd, named({ x: F(0), y: F(0) }), options)
  const rates = (): number[] =>
    (['x', 'y'] as const).map((name) => optimizer.hyperparameters(name).learningRate)
  optimizer.loadStateDict(train(100), { strict: false })
  expect(rates()).toEqual([0, 1])
  for (let t = 0; t < 25; t++) optimizer.step({ x: F(0), y: F(0) })
  expect(rates()).toEqual([0, expect.closeTo(0.5, 12)])
  // The state of fewer updates moves the start before the first one.
  optimizer.loadStateDict(train(0), { strict: false })
  expect(rates()).toEqual([1, expect.closeTo(0.5, 12)])
  const resumed = new Optimizer(backend, sgd, named({ x: F(0), y: F(0) }), optimizer.options)
  resumed.loadStateDict(optimizer.stateDict())
  expect(resumed.hyperparameters('y').learningRate).toBe(rates()[1])
})

test('without a loaded parameter of the same schedule, added parameters follow the shifted one', () => {
  const state = new Optimizer(backend, sgd, named({ x: F(0) }), { learningRate: 0.5 })
  for (let t = 0; t < 100; t++) state.step({ x: F(0) })
  const optimizer = new Optimizer(backend, sgd, named({ x: F(0), y: F(0) }), {
    learningRate: linear({ from: 1, steps: 4 }),
  })
  optimizer.step({ x: F(0) })
  optimizer.loadStateDict(state.stateDict(), { strict: false })
  optimizer.add(named({ z: F(0) }))
  const rates = ['x', 'y', 'z'].map((name) => optimizer.hyperparameters(name as never).learningRate)
  expect(rates).toEqual([0.5, 0.75, 0.75])
  expect(optimizer.options).toMatchObject({
    learningRate: startAt(99, linear({ from: 1, steps: 4 })),
    groups: [],
  })
})

/** The number of elements that searches through arrays by `includes` and `indexOf` compare. */
function compared(run: () => void): number {
  const { includes, indexOf } = Array.prototype
  let count = 0
  const counted = (search: typeof indexOf): typeof indexOf =>
    function (this: unknown[], ...args: [unknown, number?]) {
      const found = indexOf.apply(this, args)
      count += found < 0 ? this.length : found + 1
      return search.apply(this, args)
    }
  Object.assign(Array.prototype, {
    includes: counted(includes as never),
    indexOf: counted(indexOf),
  })
  try {
    run()
  } finally {
    Object.assign(Array.prototype, { includes, indexOf })
  }
  return count
}

const many = (n: number): Parameter<Float64Array>[] =>
  Array.from({ length: n }, (_, i) => ({ name: `p${i}`, value: F(0) }))

test('loading, finding and setting compare a number of names that grows with the parameters, not its square', () => {
  const work = [250, 500].map((n) => {
    const optimizer = new Optimizer(backend, sgd, many(n), {})
    const state = optimizer.stateDict()
    return compared(() => {
      optimizer.loadStateDict(state)
      for (let i = 0; i < n; i++) optimizer.hyperparameters(`p${i}`)
      optimizer.set(
        { learningRate: 1 },
        many(n).map(({ name }) => name),
      )
    })
  })
  expect(work[1]).toBeLessThan(2.1 * work[0] + 100)
})

test('adding parameters one by one reads each name a constant number of times', () => {
  const reads = [250, 500].map((n) => {
    let count = 0
    const optimizer = new Optimizer(backend, sgd, [], {})
    for (const { name, value } of many(n)) {
      const parameter = {
        value,
        get name() {
          count++
          return name
        },
      }
      optimizer.add([parameter])
    }
    return count
  })
  expect(reads[1]).toBe(2 * reads[0])
})

test('a group with another rule starts from the defaults of that rule, and later groups override both', () => {
  const optimizer = new Optimizer(backend, sgd, named({ w: F(2), bias: F(2), head: F(2) }), {
    learningRate: 0.5,
    weightDecay: 0.25,
    momentum: 0.5,
    groups: [
      { parameters: /bias|head/, rule: lion, learningRate: 0.125, beta1: 0.5 },
      { parameters: /head/, weightDecay: 0.5, optional: true },
      { parameters: /head/, rule: lion, beta1: 0.75, optional: true },
    ],
  })
  expect(optimizer.rule).toBe(sgd)
  const defaults = { ...lion.defaults, learningRate: 0.125, beta1: 0.5 }
  expect(optimizer.hyperparameters('bias')).toEqual(defaults)
  expect(optimizer.hyperparameters('head')).toEqual({ ...defaults, beta1: 0.75, weightDecay: 0.5 })
  expect(Object.keys(optimizer.state('bias'))).toEqual(['m'])
  optimizer.step({ w: F(1), bias: F(3), head: F(-3) })
  // SGD has 1 + ¼ · 2 as its first velocity, Lion 0.01 of the gradient.
  const m = (name: 'w' | 'bias' | 'head'): number => optimizer.state(name).m[0]
  expect([m('w'), m('bias'), m('head')]).toEqual([1.5, expect.closeTo(0.03), expect.closeTo(-0.03)])
  optimizer.add(named({ 'new.bias': F(0) }))
  expect(optimizer.hyperparameters('new.bias' as never)).toEqual(defaults)
  optimizer.set({ beta1: 0.25 } as object, /bias/)
  optimizer.set({ learningRate: 1 })
  expect(optimizer.hyperparameters('bias')).toEqual({ ...defaults, learningRate: 1, beta1: 0.25 })
  expect(optimizer.hyperparameters('w').learningRate).toBe(1)
  expect(() => optimizer.set({ momentum: 0.25 })).toThrow('Lion: has no option momentum')
  expect(() => optimizer.set({ momentum: 0.25 }, /bias/)).toThrow('Lion: has no option momentum')
  const again = new Optimizer(backend, sgd, named({ bias: F(2) }), optimizer.options)
  expect(again.hyperparameters('bias')).toEqual(optimizer.hyperparameters('bias'))
})

test('a parameter of another rule keeps its own kind of state through replace, remove and saved states', () => {
  const options = { momentum: 0.5, groups: [{ parameters: /^b/, rule: nadam, learningRate: 0.5 }] }
  const create = () => new Optimizer(backend, sgd, named({ w: F(1), b: F(1) }), options)
  const [first, second] = [create(), create()]
  for (let t = 0; t < 3; t++) first.step({ w: F(1), b: F(1) })
  const saved = first.stateDict()
  expect(saved).toMatchObject({ rule: 'SGD', parameters: { b: { rule: 'NAdam' } } })
  expect(saved.parameters.w).not.toHaveProperty('rule')
  expect(Object.keys(saved.parameters.b.scalars ?? {})).toEqual(
    Object.keys(nadam.scalars?.initial ?? {}),
  )
  second.loadStateDict(saved)
  second.replace({ name: 'b', value: F(1, 2) }, (_, name) => F(name.length, 1))
  expect(second.stateDict().parameters.b).toMatchObject({
    rule: 'NAdam',
    step: 3,
    state: { m: F(1, 1) },
  })
  second.remove(['w'])
  expect(Object.keys(second.stateDict().parameters)).toEqual(['b'])

  const plain = new Optimizer(backend, sgd, named({ w: F(1), b: F(1) }), { momentum: 0.5 })
  expect(() => plain.loadStateDict(saved)).toThrow(
    new TypeError('SGD: the state has NAdam as the rule of b, but the optimizer has SGD'),
  )
  expect(plain.loadStateDict(saved, { strict: false }).mismatched).toEqual([
    { name: 'b', reason: 'SGD: the state has NAdam as the rule of b, but the optimizer has SGD' },
  ])
  expect(() => first.loadStateDict(plain.stateDict())).toThrow(
    'SGD: the state has SGD as the rule of b, but the optimizer has NAdam',
  )
})

test('groups inspect the intermediates of their own rules', () => {
  const optimizer = new Optimizer(backend, sgd, named({ w: F(1), b: F(1) }), {
    groups: [{ parameters: ['b'], rule: diffGrad }],
  })
  const inspection = optimizer.inspect({ w: F(2), b: F(2) })
  expect(Object.keys(inspection)).toEqual(['effectiveStep', 'xi'])
  expect(inspection).toMatchObject({ xi: { b: F(1 / (1 + Math.exp(-2))) } })
  expect((inspection as Record<string, object>).xi).not.toHaveProperty('w')
})

test('the options of a group are those of its rule, by type as well', () => {
  const create = (groups: OptimizerOptions<(typeof sgd)['defaults']>['groups']) =>
    new Optimizer(backend, sgd, named({ w: F(1), b: F(1) }), { groups })
  create([{ parameters: ['b'], rule: lion, beta1: 0.5 }])
  create([{ parameters: ['b'], rule: diffGrad, version: 1, learningRate: constant(1) }])
  // @ts-expect-error: Lion has no momentum.
  expect(() => create([{ parameters: ['b'], rule: lion, momentum: 0.5 }])).toThrow(
    'Lion: has no option momentum; it has learningRate, weightDecay, decay, beta1, beta2',
  )
  // @ts-expect-error: a rate is a number.
  expect(() => create([{ parameters: ['b'], rule: lion, beta1: 'high' }])).toThrow(
    'Lion: beta1 must be in [0, 1), or a schedule, but is high',
  )
  // @ts-expect-error: SGD has no beta1.
  expect(() => create([{ parameters: ['b'], beta1: 0.5 }])).toThrow('SGD: has no option beta1')
  // @ts-expect-error: a rule is not its name.
  expect(() => create([{ parameters: ['b'], rule: 'Lion' }])).toThrow(
    "SGD: a group's rule must be a rule, such as lion, but is Lion",
  )
  expect(() => create([{ parameters: ['b'], rule: ranger }])).toThrow(
    'Ranger: as the rule of a group it needs centralize true for all parameters, but centralize is false',
  )
  const own = defineRule({
    name: 'own',
    defaults: { learningRate: 1, weightDecay: 0, decay: 'l2' as const, slope: 2 },
    stateNames: () => [],
    coefficients: ({ slope }) => ({ slope }),
    update: ({ mul }, { g }, { slope }) => ({ step: mul(slope, g) }),
  })
  const group: RuleGroup<(typeof own)['defaults']> = { parameters: ['b'], rule: own, slope: 3 }
  expect(create([group]).hyperparameters('b')).toMatchObject({ slope: 3 })
})

test('only groups with an evaluation point are swapped, with parameters added and replaced meanwhile', () => {
  const [a, b, c] = [F(1), F(1), F(4)]
  const optimizer = new Optimizer(backend, sgd, named<string>({ a, b }), {
    learningRate: 1,
    groups: [{ parameters: /[bc]/, rule: scheduleFreeSgd, beta1: 0.5, learningRate: 1 }],
  })
  for (let t = 0; t < 2; t++) optimizer.step({ a: F(1), b: F(1) })
  // z is 0 and then −1: the mean is −½, and y is between it and the last z.
  expect([a, b]).toEqual([F(-1), F(-0.75)])
  optimizer.swapAverage()
  expect([a, b]).toEqual([F(-1), F(-0.5)])
  optimizer.add(named({ c }))
  expect(Object.keys(optimizer.state('a'))).toEqual([])
  const wide = F(-0.5, -0.5)
  optimizer.replace({ name: 'b', value: wide }, ([x]) => F(x, x))
  freed.length = 0
  optimizer.swapAverage()
  expect([a, wide, c]).toEqual([F(-1), F(-0.75, -0.75), F(4)])
  expect(freed).toEqual([F(-0.75, -0.75), F(4)])
  expect(Object.keys(optimizer.state('b'))).toEqual(['z'])
  optimizer.step({ c: F(1) })
  expect(c).toEqual(F(3))
  expect(() => make({}).swapAverage()).toThrow(
    'SGD: swapAverage needs the option ema, or a rule with an evaluation point',
  )
})

test('reports leave nothing behind but the progress of a plateau', () => {
  const optimizer = new Optimizer(backend, sgd, named({ x: F(0) }), {
    learningRate: plateau({ from: 1, patience: 1e6 }),
  })
  const sizes = [10, 990].map((reports) => {
    for (let i = 0; i < reports; i++) optimizer.report(1)
    return JSON.stringify(optimizer.stateDict()).length
  })
  expect(sizes[1] - sizes[0]).toBe(2) // The number of failures has two digits more.
})

test('a join of 1,000 pieces is evaluated without copies of the pieces', () => {
  const piece = { schedule: linear({ from: 1, steps: 2 }), steps: 2 }
  const schedule = join(...Array.from({ length: 1000 }, () => piece))
  const iterator = Object.getPrototypeOf([][Symbol.iterator]())
  const { next } = iterator
  let iterated = 0
  iterator.next = function (...args: []) {
    iterated++
    return next.apply(this, args)
  }
  try {
    expect(scheduleValue(schedule, 1999, [{ step: 1, loss: 1 }])).toBe(0.5)
  } finally {
    iterator.next = next
  }
  expect(iterated).toBeLessThan(2000)
})

test('warm restarts of equal cycles need no loop over the cycles', () => {
  expect(scheduleValue(warmRestarts({ from: 1, steps: 4 }), 4e15)).toBe(1)
})

test('names of parameters and intermediates are typed', () => {
  const optimizer = new Optimizer(backend, diffGrad, named({ w: F(1), b: F(1) }), {
    learningRate: undefined,
    clip: undefined,
    groups: undefined,
  })
  optimizer.step({ w: F(1), b: undefined })
  // @ts-expect-error: no parameter is called typo.
  expect(() => optimizer.step({ typo: F(1) })).toThrow('no parameter is called typo')
  // @ts-expect-error: no parameter is called typo.
  expect(() => optimizer.hyperparameters('typo')).toThrow('no parameter is called typo')
  // @ts-expect-error: no parameter is called typo.
  expect(() => optimizer.set({ learningRate: 1 }, ['typo'])).toThrow('typo is selected')
  const inspection = optimizer.inspect({ w: F(1) })
  expectTypeOf(inspection.xi.w).toEqualTypeOf<Float64Array>()
  expectTypeOf(inspection.effectiveStep.w).toEqualTypeOf<Float64Array>()
  // @ts-expect-error: diffGrad has no intermediate of this name.
  expect(inspection.psi).toBeUndefined()
  expectTypeOf(diffGrad.intermediates).toEqualTypeOf<readonly 'xi'[] | undefined>()
  const general: Optimizer<Float64Array, (typeof diffGrad)['defaults'], Float64Array> = optimizer
  expect(() => general.step({ anything: F(1) })).toThrow('no parameter is called anything')
})
