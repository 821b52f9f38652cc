import { setFlagsFromString } from 'node:v8'
import { adam, allRules, defineRule } from '@diffgrad/core'
import { expectClose } from '@diffgrad/testing/tolerance'
import { expect, test, vi } from 'vitest'
import { PlanCache } from '../../kernels/src/wasm/plan.ts'
import {
  Adam,
  ArraysOptimizer,
  allocate,
  DiffGrad,
  DiffMod,
  DiffRGrad,
  diffGrad,
  SGD,
} from '../src/index.ts'
import { backends, classOf } from './conformance-adapter.ts'

// Node 20 has relaxed SIMD only on request; later ones have it anyway.
setFlagsFromString('--experimental-wasm-relaxed-simd')

const parameters = () => ({ w: Float32Array.of(1, 2, 3) })

test.each(allRules)('$name has an optimizer class', (rule) => {
  const Optimizer = classOf(rule)
  const shaped = { w: { values: new Float32Array(1), shape: [1] } }
  expect(Optimizer && new Optimizer(shaped, {}).rule).toBe(rule)
})

test('an optimizer says what runs it', () => {
  expect(new DiffGrad(parameters()).kernel).toEqual({ tier: 'wasm', threads: 1, copies: true })
  for (const tier of ['wasm', 'javascript', 'interpreter'] as const) {
    expect(new DiffGrad(parameters(), { kernel: tier }).kernel.tier).toBe(tier)
  }
})

test('without WebAssembly, a rule without generated kernels is interpreted', () => {
  const optimizer = new ArraysOptimizer(diffGrad, parameters(), { kernel: 'javascript' })
  expect(optimizer.kernel.tier).toBe('interpreter')
})

test('`fastest` runs everywhere', () => {
  const { tier } = new DiffGrad(parameters(), { kernel: 'fastest' }).kernel
  expect(['wasm', 'wasm-relaxed']).toContain(tier)
})

test('refuses an unknown kernel', () => {
  expect(() => new DiffGrad(parameters(), { kernel: 'webgl' } as object)).toThrow(
    new RangeError(
      'diffGrad: kernel must be auto, fastest, wasm-relaxed, wasm, javascript or interpreter, but is webgl',
    ),
  )
})

test.each([
  ['a gradient that is missing now and then', {}, (t: number) => t % 3 === 0],
  ['a parameter that gets gradients late', {}, (t: number) => t < 3],
  ['clipping', { clip: { by: 'norm', limit: 0.1 } }, () => false],
  ['accumulation', { accumulate: 2 }, () => false],
] as const)('kernels are planned once, with %s', (_, options, isMissing) => {
  const { parameters, gradients } = allocate({ a: [3], b: [5], c: [4] })
  for (const gradient of Object.values(gradients)) gradient.fill(1)
  const optimizer = new DiffGrad(parameters, options)
  const step = (t: number) => optimizer.step(isMissing(t) ? { ...gradients, b: null } : gradients)
  // Every 32nd step runs another kernel, which flushes running averages.
  for (let t = 0; t < 70; t++) step(t)
  const { planFor } = PlanCache.prototype
  let plans = 0
  const spy = vi.spyOn(PlanCache.prototype, 'planFor').mockImplementation(function (
    this: PlanCache,
    lists,
    make,
  ) {
    return planFor.call(this, lists, () => {
      plans++
      return make()
    })
  })
  for (let t = 70; t < 140; t++) step(t)
  const { calls } = spy.mock
  spy.mockRestore()
  expect(calls.length).toBeGreaterThanOrEqual(35)
  expect(plans).toBe(0)
})

test('a step of own arrays makes no views, and moves arrays that were replaced', () => {
  const arrays = (x: number) => ({ a: Float32Array.of(x, x), b: new Float32Array(9).fill(x) })
  const parameters = arrays(0)
  const optimizer = new SGD(parameters, { learningRate: 1 })
  const first = arrays(-1)
  optimizer.step(first)
  const views = vi.spyOn(Object.getPrototypeOf(Float32Array.prototype), 'subarray')
  for (let t = 0; t < 3; t++) optimizer.step(first)
  optimizer.step(arrays(-2))
  const made = views.mock.calls.length
  views.mockRestore()
  expect(made).toBe(0)
  expect(parameters).toEqual(arrays(6))
  const other = new Float32Array(9)
  optimizer.replace({ name: 'b', value: other }, (state) => state)
  optimizer.step(first)
  expect(parameters).toEqual({ a: Float32Array.of(7, 7), b: new Float32Array(9).fill(6) })
  expect(other).toEqual(new Float32Array(9).fill(1))
})

test('a plan for some parameters is not used for others of another length or precision', () => {
  const short = Float32Array.of(1, 2)
  const long = new Float32Array(70_000).fill(3)
  const precise = Float64Array.of(1 / 3, 2 / 3)
  const optimizer = new SGD({ short, long, precise }, { learningRate: 0.5 })
  for (const [name, values] of Object.entries({ short, long, precise })) {
    const gradient = values.slice()
    optimizer.step({ [name]: gradient })
    expect(values.every((x, i) => x === gradient[i] / 2)).toBe(true)
  }
})

const versions = [SGD, Adam, DiffGrad, DiffRGrad, DiffMod].flatMap((Rule) =>
  (Rule === SGD || Rule === Adam ? [{}] : [0, 1, 2].map((version) => ({ version }))).map(
    (options) => [Rule.name, options, Rule as typeof DiffGrad] as const,
  ),
)

test.each(versions)('%s %o keeps NaN where it is', (_, options, Rule) => {
  const { parameters, gradients } = allocate({ w: [19] })
  gradients.w.fill(1)
  gradients.w[7] = Number.NaN
  const optimizer = new Rule(parameters, options as object)
  for (let t = 0; t < 40; t++) optimizer.step(gradients)
  expect(Array.from(parameters.w.keys()).filter((i) => Number.isNaN(parameters.w[i]))).toEqual([7])
})

test.each([
  ['float32', 2 ** -126],
  ['float64', 2 ** -1022],
] as const)(
  'in %s, without gradients no state is ever subnormal, and all become zero',
  (dtype, smallest) => {
    const { parameters, gradients } = allocate({ w: [16] }, { dtype })
    gradients.w.fill(1)
    const optimizer = new DiffGrad(parameters, { beta2: 0.9 })
    const { m, v } = optimizer.state('w')
    optimizer.step(gradients)
    gradients.w.fill(0)
    const isNormal = (x: number): boolean => x === 0 || Math.abs(x) >= smallest
    for (let t = 0; t < 8000; t++) {
      optimizer.step(gradients)
      expect(m.every(isNormal) && v.every(isNormal)).toBe(true)
    }
    expect([m, v].every((average) => average.every((x) => x === 0))).toBe(true)
  },
)

/** ε of 3D Gaussian splatting; gradients and second moments far below those of the laws. */
const tiny = { epsilon: 1e-15, gradient: 5e-15, steps: 300 }

test.each(
  backends().flatMap((backend) =>
    ([0.999, 0.5] as const).map((beta2) => [backend.name, beta2, backend] as const),
  ),
)(
  '%s: Adam with β₂ = %d and a tiny ε moves as far as its equations say',
  async (_, beta2, backend) => {
    const { step, parameters } = backend.create(adam, {
      dtype: 'float32',
      parameters: { x: { values: [0], shape: [1] } },
      options: { epsilon: tiny.epsilon, beta2 },
    })
    for (let t = 0; t < tiny.steps; t++) await step({ x: [tiny.gradient] })
    // A constant gradient moves by α·g/(g + ε) in every step.
    const moved = (1e-3 * tiny.steps * tiny.gradient) / (tiny.gradient + tiny.epsilon)
    expectClose((await parameters()).x, [-moved], { relative: 1e-5 })
  },
)

test('a rule of many arrays is staged in smaller chunks', () => {
  const slots = Array.from({ length: 9 }, (_, k) => `s${k}`)
  const sums = defineRule({
    name: 'sums',
    defaults: { learningRate: 1, weightDecay: 0, decay: 'l2' },
    stateNames: () => slots,
    intermediates: slots.map((slot) => `${slot}Now`),
    coefficients: () => ({}),
    update({ add }, { g, ...memory }) {
      const next = slots.map((slot) => [slot, add(g, memory[slot])] as const)
      const shown = next.map(([slot, value]) => [`${slot}Now`, value] as const)
      return { step: g, ...Object.fromEntries([...next, ...shown]) }
    },
  })
  const w = new Float32Array(40_000)
  const g = Float32Array.from(w, (_, i) => i)
  const shown = new ArraysOptimizer(sums, { w }).inspect({ w: g })
  for (const slot of slots) expect(shown[`${slot}Now`].w.every((x, i) => x === g[i])).toBe(true)
})
