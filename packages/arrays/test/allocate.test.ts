import { deepStrictEqual } from 'node:assert'
import { allRules } from '@diffgrad/core'
import { memoryOf } from '@diffgrad/kernels'
import { expectClose } from '@diffgrad/testing/tolerance'
import { expect, expectTypeOf, test, vi } from 'vitest'
import { allocate, DiffGrad, DiffMod, noDecayOnBiasAndNorm, Ranger, SGD } from '../src/index.ts'
import { shipped } from './conformance-adapter.ts'

const shapes = { weights: [37, 11], bias: [11], scale: [1], more: [20, 1000] } as const
type Name = keyof typeof shapes
const names = Object.keys(shapes) as Name[]

const startOf = (i: number): number => Math.sin(1.3 * i)
const gradientOf = (t: number, i: number): number => Math.cos(0.7 * t + i) * (i % 5)

/** Allocated parameters and gradients, and copies of them in ordinary arrays. */
function twins(dtype: 'float32' | 'float64') {
  const allocated = allocate<typeof shapes, 'float32' | 'float64'>(shapes, { dtype })
  for (const name of names)
    allocated.parameters[name].set(allocated.parameters[name].map((_, i) => startOf(i)))
  const entries = names.map((name) => [name, allocated.parameters[name].slice()] as const)
  const own = new Map(entries)
  const shaped = entries.map(
    ([name, values]) => [name, { values, shape: shapes[name] as readonly number[] }] as const,
  )
  const fill = (t: number) => {
    for (const name of names) {
      allocated.gradients[name].set(allocated.gradients[name].map((_, i) => gradientOf(t, i)))
    }
    return Object.fromEntries(names.map((name) => [name, allocated.gradients[name].slice()]))
  }
  return { allocated, own, shaped, fill }
}

test.each(
  (['float32', 'float64'] as const).flatMap((dtype) =>
    [SGD, DiffGrad, DiffMod, Ranger].map((Rule) => [dtype, Rule.name, Rule] as const),
  ),
)('in %s, %s moves allocated and other parameters alike, bit for bit', (dtype, _, Rule) => {
  const { allocated, own, shaped, fill } = twins(dtype)
  const options = {
    weightDecay: 0.1,
    groups: [noDecayOnBiasAndNorm],
    ema: { decay: 0.9 },
  }
  const inPlace = new Rule(allocated.parameters, options)
  const staged = new Rule(shaped, options)
  expect([inPlace.kernel.copies, staged.kernel.copies]).toEqual([false, true])
  for (let t = 1; t <= 40; t++) {
    const gradients = fill(t)
    const some = t % 7 === 0 ? { bias: null } : {}
    inPlace.step({ ...allocated.gradients, ...some })
    staged.step({ ...gradients, ...some })
  }
  // Of node:assert, because expect compares large arrays slowly.
  for (const name of names) deepStrictEqual(own.get(name), allocated.parameters[name])
  deepStrictEqual(inPlace.stateDict().parameters, staged.stateDict().parameters)
})

test('allocated parameters and gradients have their shapes, and are zeros', () => {
  const { parameters, gradients } = allocate({ weights: [3, 2], bias: [3], none: [0] })
  expect(parameters.weights).toEqual(new Float32Array(6))
  expect(gradients.none).toEqual(new Float32Array(0))
  gradients.weights.set([1, 2, 3, 4, 5, 6])
  new SGD(parameters, { learningRate: 1, centralize: true }).step(gradients)
  expect(parameters.weights).toEqual(Float32Array.of(0.5, -0.5, 0.5, -0.5, 0.5, -0.5))
})

test('optimizers of one allocation share its memory, and free it', () => {
  const size = 100_000
  const { parameters, gradients } = allocate({ w: [size] })
  gradients.w.fill(1)
  for (let k = 0; k < 5; k++) {
    const optimizer = new DiffMod(parameters)
    expect(optimizer.kernel.copies).toBe(false)
    optimizer.step(gradients)
    const { m } = optimizer.stateDict().parameters.w.state
    expect(m.every((x) => x === Math.fround(1 - 0.9))).toBe(true)
    optimizer.dispose()
    expect(() => optimizer.step(gradients)).toThrow('the optimizer was disposed of')
    expect(() => optimizer.stateDict()).toThrow('the optimizer was disposed of')
  }
  const optimizers = Array.from({ length: 4 }, () => new DiffMod(parameters))
  expect(optimizers.map(({ kernel }) => kernel.copies)).toEqual([false, true, true, true])
  for (const optimizer of optimizers) optimizer.step(gradients)
  expect(new Set(parameters.w).size).toBe(1)
})

test.each(allRules)(
  'an allocation has room for $name with everything on, however grouped',
  (rule) => {
    const { parameters } = allocate({ weights: [3, 2], bias: [3], scale: [1], more: [20, 1000] })
    const optimizer = shipped(rule, parameters, {
      ...('amsgrad' in rule.defaults && { amsgrad: true }),
      ...('momentum' in rule.defaults && { momentum: 0.5 }),
      accumulate: 2,
      centralize: true,
      clip: { by: 'globalNorm', limit: 1 },
      ...(!rule.evaluationPoint && {
        lookahead: { every: 2, alpha: 0.5 },
        ema: { decay: 0.9 },
      }),
      groups: Object.keys(parameters).map((name) => ({ parameters: [name], learningRate: 0.1 })),
    })
    expect(optimizer.kernel.copies).toBe(false)
  },
)

test('an array whose memory has grown is refused, and nothing moves', () => {
  const memory = new WebAssembly.Memory({ initial: 1 })
  const grown = new Float32Array(memory.buffer, 0, 3)
  const bias = Float32Array.of(1)
  const optimizer = new DiffGrad({ grown, bias })
  memory.grow(1)
  const gradients = { bias: Float32Array.of(1), grown: new Float32Array(3) }
  expect(() => optimizer.step(gradients)).toThrow(
    'diffGrad: the parameter grown has lost its elements: its buffer is detached or shrunk',
  )
  expect(bias).toEqual(Float32Array.of(1))
})

test('a gradient that was checked before is refused once it lost its elements', () => {
  const { parameters, gradients } = allocate({ inside: [2], outside: [3] })
  const outside = new Float32Array(3)
  const optimizer = new DiffGrad(parameters)
  const all = { ...gradients, outside }
  for (let t = 0; t < 2; t++) optimizer.step(all)
  structuredClone(outside, { transfer: [outside.buffer] })
  expect(() => optimizer.step(all)).toThrow(
    'diffGrad: the gradient of outside must be Float32Array(3), but is a Float32Array whose buffer is detached',
  )
})

test('an allocated array keeps its elements when its buffer is transferred', () => {
  const { inside } = allocate({ inside: [2] }).gradients
  try {
    structuredClone(inside, { transfer: [inside.buffer] })
  } catch {} // Some engines copy, others refuse.
  expect(inside).toHaveLength(2)
})

test.each([
  ['for parameters and gradients only', 64, true],
  ['for nothing', 0, false],
])('with memory %s, everything else lies in ordinary memory', (_, mostPages, isAllocated) => {
  new DiffGrad({ w: new Float32Array(1) }) // The staging memory of the process.
  class LimitedMemory extends WebAssembly.Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      if (descriptor.initial > mostPages) throw new RangeError('could not allocate memory')
      super(descriptor)
    }
  }
  const { Memory } = WebAssembly
  WebAssembly.Memory = LimitedMemory
  const { parameters, gradients } = allocate({ w: [200_000] })
  const optimizer = new DiffGrad(parameters, { learningRate: 1 })
  WebAssembly.Memory = Memory
  gradients.w.fill(1)
  optimizer.step(gradients)
  const step = 1 / (1 + Math.exp(-1))
  expect(new Set(parameters.w).size).toBe(1)
  expectClose(parameters.w.subarray(0, 1), [-step], { relative: 1e-5 })
  expect(memoryOf(parameters.w) !== undefined).toBe(isAllocated)
  expect(optimizer.kernel).toEqual({ tier: 'wasm', threads: 1, copies: true })
})

test('shared memory is refused by name where there is none', () => {
  vi.stubGlobal('SharedArrayBuffer', undefined)
  const make = () => allocate({ w: [1] }, { shared: true })
  try {
    expect(make).toThrow(
      new RangeError(
        'allocate: shared needs SharedArrayBuffer, which a page has only if it is cross-origin isolated',
      ),
    )
    expect(allocate({ w: [1] }, { shared: false }).parameters.w).toEqual(new Float32Array(1))
  } finally {
    vi.unstubAllGlobals()
  }
})

test.each([
  ['shared', new TypeError('allocate: options must be an object, but are shared')],
  [null, new TypeError('allocate: options must be an object, but are null')],
  [{ type: 'float64' }, new RangeError('allocate: has no option type; it has dtype, shared')],
  [{ shared: 'yes' }, new RangeError('allocate: shared must be false or true, but is yes')],
])('refuses the options %o', (options, error) => {
  expect(() => allocate({ w: [1] }, options as object)).toThrow(error)
})

test('refuses shapes that are no object', () => {
  expect(() => allocate(new Map([['w', [1]]]) as never)).toThrow(
    new TypeError('allocate: parameters must be an object, but are a Map'),
  )
})

test('arrays are on an ArrayBuffer unless they are shared', () => {
  const { parameters } = allocate({ w: [1] })
  const precise = allocate({ w: [1] }, { dtype: 'float64' })
  const shared = allocate({ w: [1] }, { shared: true })
  expectTypeOf(parameters.w).toEqualTypeOf<Float32Array<ArrayBuffer>>()
  expectTypeOf(precise.gradients.w).toEqualTypeOf<Float64Array<ArrayBuffer>>()
  expectTypeOf(shared.parameters.w).toEqualTypeOf<Float32Array>()
  expect(parameters.w.buffer).toBeInstanceOf(ArrayBuffer)
  expect(shared.parameters.w.buffer).toBeInstanceOf(SharedArrayBuffer)
})

test.each([
  [[-1], '[-1]'],
  [[1.5], '[1.5]'],
  [[2 ** 31, 2 ** 31], '[2147483648,2147483648]'],
  [3, '3'],
])('refuses the shape %o', (shape, said) => {
  expect(() => allocate({ w: shape as readonly number[] })).toThrow(
    new RangeError(`allocate: the shape of w must be whole numbers, but is ${said}`),
  )
})

test('refuses an unknown data type', () => {
  expect(() => allocate({ w: [1] }, { dtype: 'float16' as never })).toThrow(
    new RangeError('allocate: dtype must be float32 or float64, but is float16'),
  )
})

test('an array that does not fit into memory is named, with its bytes', () => {
  const make = () => allocate({ small: [2], large: [1e13] })
  expect(make).toThrow(RangeError)
  expect(make).toThrow(
    'allocate: large must fit into memory, but has 40000000000000 bytes that cannot be allocated',
  )
})
