import { DiffGrad } from '@diffgrad/arrays'
import { classics, paper } from '@diffgrad/testing/landscapes'
import { expect, test } from 'vitest'
import { told } from '../src/address/race-code.ts'
import { labelsOf } from '../src/optimizers/labels.ts'
import { racer, renamed, withOption } from '../src/optimizers/racer.ts'
import { arrivalOf, minimumNear } from '../src/race/arrival.ts'
import { Cast } from '../src/race/cast.ts'
import { advanced } from '../src/race/clock.ts'
import { courses } from '../src/race/course.ts'
import { Descent } from '../src/race/descent.ts'

const ravine = courses.ravine.landscape

test('a descent is what the optimizer does when it is driven by hand', () => {
  const theta = Float64Array.of(-4, 2)
  const optimizer = new DiffGrad({ theta }, { learningRate: 0.1 })
  for (let t = 1; t <= 50; t++) {
    const noise = ravine.noise?.(t) ?? []
    const slope = ravine.gradient([...theta])
    optimizer.step({ theta: Float64Array.from(slope, (g, i) => 3 * (g + noise[i])) })
  }
  const descent = new Descent(racer('diffgrad', { learningRate: 0.1 }, 3), ravine, [-4, 2])
  expect(descent.at(50)).toEqual([...theta])
})

test('scrubbing back and forth shows what was there before', () => {
  const descent = new Descent(racer('adam'), ravine, [-4, 2])
  const early = descent.at(10)
  const late = descent.at(100)
  expect(descent.at(10)).toBe(early)
  expect(descent.path(100)[100]).toBe(late)
  expect(descent.path(100)).toHaveLength(101)
  expect(descent.between(10.5)[0]).toBeCloseTo((descent.at(10)[0] + descent.at(11)[0]) / 2, 12)
})

test('being looked into changes nothing, and the steps that were seen are those that were taken', () => {
  const seen = new Descent(racer('diffgrad', { learningRate: 0.1 }), ravine, [-4, 2], {
    inspected: true,
  })
  const unseen = new Descent(racer('diffgrad', { learningRate: 0.1 }), ravine, [-4, 2])
  expect(seen.path(30)).toEqual(unseen.path(30))
  expect(unseen.inside(30)).toEqual([])
  for (const [i, { effectiveStep, xi, m, v }] of seen.inside(30).entries()) {
    expect(seen.at(i)[0] - seen.at(i + 1)[0]).toBeCloseTo(effectiveStep[0], 12)
    for (const friction of xi ?? []) expect(friction).toBeGreaterThanOrEqual(0.5)
    expect([m, v, xi].map((values) => values?.length)).toEqual([2, 2, 2])
  }
})

test('what a change leaves as it was is not computed anew', () => {
  const cast = new Cast()
  const state = told('adam-overshoots')
  const [adam, ours] = cast.of(state)
  const changed = { ...state, racers: [state.racers[0], racer('diffgrad')] }
  expect(cast.of(changed)[0]).toBe(adam)
  expect(cast.of(changed)[1]).not.toBe(ours)
})

test('a race does not run past its end, nor jump after a pause', () => {
  expect(advanced(299.5, 0.05, { speed: 60, steps: 300 })).toBe(300)
  expect(advanced(0, 0.05, { speed: 60, steps: 300 })).toBeCloseTo(3, 12)
  expect(advanced(0, -0.01, { speed: 60, steps: 300 })).toBe(0)
  expect(advanced(0, 3600, { speed: 60, steps: 300 })).toBeCloseTo(6, 12)
})

test('arrival is the step from which on a path stays near a global minimum', () => {
  const himmelblau = classics.find(({ name }) => name === 'himmelblau') ?? paper[0]
  const [far, near, home] = [
    [0, 0],
    [3.01, 2],
    [3, 2],
  ]
  expect(arrivalOf(himmelblau, [far, near, far, near, home], 0.1)).toBe(3)
  expect(arrivalOf(himmelblau, [near, far], 0.1)).toBeUndefined()
  expect(minimumNear(himmelblau, [-3.78, -3.28], 0.1)).toBe(2)
})

test('labels say what differs, and nothing else', () => {
  const half = withOption(racer('adam'), 'learningRate', 5e-4)
  expect(labelsOf([racer('adam'), racer('diffgrad')])).toEqual(['Adam', 'diffGrad'])
  expect(labelsOf([racer('adam'), half])).toEqual(['Adam · α 0.001', 'Adam · α 0.0005'])
  expect(labelsOf([racer('diffgrad'), racer('diffgrad', { aliased: true })])).toEqual([
    'diffGrad · fixed',
    'diffGrad · original',
  ])
  expect(labelsOf([racer('diffgrad'), racer('diffgrad', {}, 100)])).toEqual([
    'diffGrad · loss × 1',
    'diffGrad · loss × 100',
  ])
})

test('an optimizer that takes the place of another keeps the options that it knows', () => {
  const adam = racer('adam', { learningRate: 0.3, amsgrad: true }, 2)
  expect(renamed(adam, 'diffgrad')).toEqual(racer('diffgrad', { learningRate: 0.3 }, 2))
  const signed = racer('diffgrad', { version: 1 })
  expect(renamed(signed, 'diffrgrad')).toEqual(racer('diffrgrad')) // Whose default that is.
})
