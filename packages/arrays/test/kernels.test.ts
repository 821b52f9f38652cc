import { type Kernel, ruleKernels, trace, type UpdateRule } from '@diffgrad/core'
import { allRules } from '@diffgrad/testing/conformance'
import { expect, test } from 'vitest'
import wabt from 'wabt'
import { accuracyOf, subjects } from '../scripts/ulps.ts'
import { Adam, allocate, DiffGrad, DiffMod, DiffRGrad, SGD } from '../src/index.ts'
import { kernelBytes } from '../src/wasm/kernel.ts'

const updateOf = (rule: UpdateRule): Kernel => {
  const form = rule.variant?.(rule.defaults, 1000) ?? {}
  return ruleKernels(rule, rule.defaults, { form, decay: 'decoupled' }).update
}

test('an independent validator finds nothing wrong with any module', async () => {
  const { readWasm } = await wabt()
  for (const rule of allRules) {
    for (const dtype of ['float32', 'float64'] as const) {
      for (const [relaxed, shared, flush] of [
        [false, false, false],
        [false, true, true],
        [true, false, true],
      ]) {
        const bytes = kernelBytes(trace(updateOf(rule)), { dtype, relaxed, shared, flush })
        const features = { simd: true, threads: true, relaxed_simd: true }
        // Its types do not say that validation takes features, too.
        const module: { validate(features: object): void; destroy(): void } = readWasm(
          bytes,
          features,
        )
        expect(() => module.validate(features)).not.toThrow()
        module.destroy()
      }
    }
  }
})

test.each(subjects)('$name is within its bounds', (subject) => {
  const bounds: Readonly<Record<string, number>> = {
    'sigmoid(|x|)': 2,
    'sigmoid(x)': 2.5,
    'exp(x)': 1.5,
  }
  expect(accuracyOf(subject, false, 211).worst).toBeLessThan(bounds[subject.name])
})

test.each([SGD, Adam, DiffGrad, DiffRGrad, DiffMod].map((Rule) => [Rule.name, Rule] as const))(
  'with %s, NaN stays NaN, and stays where it is',
  (_, Rule) => {
    for (const version of Rule === SGD || Rule === Adam ? [undefined] : [0, 1, 2]) {
      const options = version === undefined ? {} : { version }
      const { parameters, gradients } = allocate({ w: [19] })
      gradients.w.fill(1)
      gradients.w[7] = Number.NaN
      const optimizer = new Rule(parameters, options as object)
      for (let t = 0; t < 40; t++) optimizer.step(gradients)
      expect(parameters.w.findIndex(Number.isNaN)).toBe(7)
      expect(parameters.w.filter(Number.isNaN)).toHaveLength(1)
    }
  },
)

test('averages of zeros become zero before they are subnormal', () => {
  for (const dtype of ['float32', 'float64'] as const) {
    const { parameters, gradients } = allocate({ w: [100] }, { dtype })
    gradients.w.fill(1)
    const optimizer = new DiffGrad(parameters, { beta2: 0.9 })
    optimizer.step(gradients)
    gradients.w.fill(0)
    const smallest = dtype === 'float32' ? 2 ** -126 : 2 ** -1022
    for (let t = 0; t < 8000; t++) optimizer.step(gradients)
    const { m, v } = optimizer.stateDict().parameters.w.state
    for (const average of [m, v]) {
      expect(average.every((x) => x === 0 || Math.abs(x) >= smallest)).toBe(true)
      expect(average[0]).toBe(0)
    }
  }
})

test('3000 steps without gradients end as fast as they began', () => {
  const { parameters, gradients } = allocate({ w: [20_000] })
  gradients.w.fill(1)
  const optimizer = new DiffGrad(parameters)
  optimizer.step(gradients)
  gradients.w.fill(0)
  const times = Array.from({ length: 3000 }, () => {
    const start = performance.now()
    optimizer.step(gradients)
    return performance.now() - start
  })
  const typical = (some: readonly number[]): number => some.toSorted((a, b) => a - b)[100]
  // Without flushing it is more than ten times slower; other work on the machine must not matter.
  expect(typical(times.slice(-300)) / typical(times.slice(100, 400))).toBeLessThan(3)
})
