import { defineRule } from '@diffgrad/core'
import { expect, test, vi } from 'vitest'
import { ArraysOptimizer, allocate, DiffGrad, diffGrad, SGD } from '../src/index.ts'

const parameters = () => ({ w: Float32Array.of(1, 2, 3) })

test('an optimizer says what runs it', () => {
  expect(new DiffGrad(parameters()).kernel).toEqual({ tier: 'wasm', threads: 1, copies: true })
  for (const tier of ['wasm', 'javascript', 'interpreter'] as const) {
    expect(new DiffGrad(parameters(), { kernel: tier }).kernel.tier).toBe(tier)
  }
})

test('without WebAssembly, a rule that has no loops is interpreted', () => {
  const optimizer = new ArraysOptimizer(diffGrad, parameters(), { kernel: 'javascript' })
  expect(optimizer.kernel.tier).toBe('interpreter')
})

test('`fastest` runs everywhere', () => {
  const { tier } = new DiffGrad(parameters(), { kernel: 'fastest' }).kernel
  expect(['wasm', 'wasm-relaxed']).toContain(tier)
})

test('refuses a kernel that is none', () => {
  expect(() => new DiffGrad(parameters(), { kernel: 'webgl' } as object)).toThrow(
    new RangeError(
      'diffGrad: kernel must be auto, fastest, wasm-relaxed, wasm, javascript or interpreter, but is webgl',
    ),
  )
})

test.each([
  ['a gradient that is missing now and then', {}, (t: number) => t % 3 === 0],
  ['a parameter that joined late', {}, (t: number) => t < 3],
  ['clipping', { clip: { by: 'norm', limit: 0.1 } }, () => false],
  ['accumulation', { accumulate: 2 }, () => false],
] as const)('kernels are planned once, with %s', (_, options, isMissing) => {
  const { parameters, gradients } = allocate({ a: [3], b: [5], c: [4] })
  for (const gradient of Object.values(gradients)) gradient.fill(1)
  const optimizer = new DiffGrad(parameters, options)
  const step = (t: number) => optimizer.step(isMissing(t) ? { ...gradients, b: null } : gradients)
  // Every 32nd step is another kernel, which sets what is negligible to zero.
  for (let t = 0; t < 70; t++) step(t)
  const instances = vi.spyOn(WebAssembly, 'Instance')
  for (let t = 70; t < 140; t++) step(t)
  const made = instances.mock.calls.length
  instances.mockRestore()
  expect(made).toBe(0)
})

test('a plan for some parameters is none for others, of another length or precision', () => {
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

test('a rule with more arrays than fit side by side on the desk is staged in smaller windows', () => {
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
  for (const slot of slots) expect(shown[`${slot}Now`].w).toEqual(g)
})
