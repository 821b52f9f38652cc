import { defineRule } from '@diffgrad/core'
import { expect, test } from 'vitest'
import { ArraysOptimizer, DiffGrad, diffGrad } from '../src/index.ts'

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

test('a rule with more arrays than fit side by side on the desk is staged in smaller windows', () => {
  const slots = Array.from({ length: 9 }, (_, k) => `s${k}`)
  const sums = defineRule({
    name: 'sums',
    defaults: { learningRate: 1, weightDecay: 0, decay: 'l2' },
    slots: () => slots,
    inner: slots.map((slot) => `${slot}Now`),
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
