import { expectClose } from '@diffgrad/testing/tolerance'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AdamW, DiffGrad, DiffMod, DiffRGrad, Ranger, SGD } from '../src/index.ts'

const gradient = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), {
  minLength: 4,
  maxLength: 4,
})
const limit = fc.double({ min: 1e-3, max: 1e3, noNaN: true })
const by = fc.constantFrom('norm' as const, 'globalNorm' as const)

test('a gradient clipped by norm is no longer than the limit, and keeps its direction', () => {
  fc.assert(
    fc.property(gradient, limit, by, (g, limit, by) => {
      const theta = new Float64Array(4)
      const optimizer = new SGD({ theta }, { learningRate: 1, clip: { by, limit } })
      optimizer.step({ theta: Float64Array.from(g) })
      const clipped = Array.from(theta, (x) => -x)
      const [before, after] = [Math.hypot(...g), Math.hypot(...clipped)]
      expect(after).toBeLessThanOrEqual(Math.min(limit, before) * (1 + 1e-12))
      const direction = (values: readonly number[], norm: number): readonly number[] =>
        values.map((x) => (norm === 0 ? 0 : x / norm))
      // Subnormal elements have fewer digits.
      const tolerance = { relative: 1e-12, absolute: 1e-300 }
      expectClose(direction(clipped, after), direction(g, before), tolerance)
    }),
  )
})

test('norms of gradients near the ends of the number range neither overflow nor underflow', () => {
  for (const size of [1e200, 1e-200]) {
    const theta = new Float64Array(2)
    const clip = { by: 'norm' as const, limit: size }
    new SGD({ theta }, { learningRate: 1, clip }).step({
      theta: Float64Array.of(3 * size, 4 * size),
    })
    expectClose(theta, [-0.6 * size, -0.8 * size], { relative: 1e-12 })
  }
})

test('an optimizer that is saved and loaded after any step continues bit for bit', () => {
  const Class = fc.constantFrom(AdamW, DiffGrad, DiffRGrad, DiffMod, Ranger)
  const gradients = fc.array(gradient, { minLength: 2, maxLength: 12 })
  const options = fc.record({
    learningRate: fc.double({ min: 1e-4, max: 1, noNaN: true }),
    weightDecay: fc.double({ min: 0, max: 0.5, noNaN: true }),
    accumulate: fc.integer({ min: 1, max: 3 }),
    centralize: fc.boolean(),
  })
  fc.assert(
    fc.property(Class, gradients, options, fc.nat(), (Optimizer, gradients, options, cut) => {
      const stop = cut % gradients.length
      const theta = Float32Array.of(1, -2, 3, 0.5)
      const shaped = (values: Float32Array) => ({ theta: { values, shape: [2, 2] } })
      const optimizer = new Optimizer(shaped(theta), options)
      const step = (g: number[]) => optimizer.step({ theta: Float32Array.from(g) })
      for (const g of gradients.slice(0, stop)) step(g)

      const copy = theta.slice()
      const resumed = new Optimizer(shaped(copy), options)
      resumed.loadStateDict(structuredClone(optimizer.stateDict()))
      for (const g of gradients.slice(stop)) {
        step(g)
        resumed.step({ theta: Float32Array.from(g) })
      }
      expect(copy).toEqual(theta)
      expect(resumed.stateDict()).toEqual(optimizer.stateDict())
    }),
  )
})
