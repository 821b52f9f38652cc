import { expectClose } from '@diffgrad/testing/tolerance'
import { expect, test } from 'vitest'
import { formatNumber, formatRounded } from '../src/format.ts'
import { landscapeViews } from '../src/landscapes.ts'
import { configure, withOptimizer, withOption } from '../src/optimizers/config.ts'
import { optimizerLabels } from '../src/optimizers/option-text.ts'
import { type Options, optimizers } from '../src/optimizers/registry.ts'
import { stepEquations } from '../src/optimizers/step-equations.ts'
import { advancePosition } from '../src/race/scene.ts'
import { stories, storyState } from '../src/race/stories.ts'
import { Trajectory, TrajectoryCache } from '../src/race/trajectory.ts'
import { referencePoint } from './reference.ts'

const ravine = landscapeViews.ravine.landscape

test('a trajectory is the path of the library’s own optimizer', () => {
  const config = configure('diffgrad', { learningRate: 0.1 }, 3)
  const trajectory = new Trajectory(config, ravine, [-4, 2])
  expect(trajectory.at(50)).toEqual(referencePoint(config, ravine, [-4, 2], 50))
})

test('the trajectory of Schedule-Free is that of x, equations 3 to 5 of arXiv:2405.15682', () => {
  const { landscape } = landscapeViews.himmelblau
  const trajectory = new Trajectory(
    configure('schedulefreesgd', { learningRate: 0.01 }),
    landscape,
    [0, -4],
  )
  const beta = 0.9
  let [x, z] = [
    [0, -4],
    [0, -4],
  ]
  for (let t = 1; t <= 50; t++) {
    const gradient = landscape.gradient(x.map((xi, i) => (1 - beta) * z[i] + beta * xi))
    z = z.map((zi, i) => zi - 0.01 * gradient[i])
    x = x.map((xi, i) => (1 - 1 / t) * xi + z[i] / t)
    expectClose(trajectory.at(t), x, { relative: 1e-9 })
    expectClose([trajectory.losses(t)[t]], [landscape.value(x)], { relative: 1e-9 })
  }
})

test('an earlier step of a trajectory is not computed again', () => {
  const trajectory = new Trajectory(configure('adam'), ravine, [-4, 2])
  const early = trajectory.at(10)
  const late = trajectory.at(100)
  expect(trajectory.at(10)).toBe(early)
  expect(trajectory.path(100)[100]).toBe(late)
  expect(trajectory.path(100)).toHaveLength(101)
  const middle = trajectory.at(10).map((x, i) => (x + trajectory.at(11)[i]) / 2)
  expectClose(trajectory.interpolate(10.5), middle, { relative: 1e-12 })
})

test('inspection does not change a trajectory, and shows the steps that were taken', () => {
  const config = configure('diffgrad', { learningRate: 0.1 })
  const inspected = new Trajectory(config, ravine, [-4, 2], { inspected: true })
  const plain = new Trajectory(config, ravine, [-4, 2])
  expect(inspected.path(30)).toEqual(plain.path(30))
  expect(plain.internals(30)).toEqual([])
  for (const [i, { results }] of inspected.internals(30).entries()) {
    const { effectiveStep, xi, m, v } = results
    const step = inspected.at(i).map((x, axis) => x - inspected.at(i + 1)[axis])
    expectClose(step, effectiveStep, { relative: 1e-9, absolute: 1e-12 })
    for (const friction of xi ?? []) expect(friction).toBeGreaterThanOrEqual(0.5)
    expect([m, v, xi].map((values) => values?.length)).toEqual([2, 2, 2])
  }
})

test.each(Object.entries(optimizers))(
  'the equations of %s compute what its optimizer does at each step',
  (name, { rule }) => {
    const config = configure(name)
    const trajectory = new Trajectory(config, ravine, [-4, 2], { inspected: true })
    for (const t of [1, 2, 7]) {
      const { inputs, results } = trajectory.internals(t)[t - 1]
      const equations = stepEquations(config, t, inputs)
      const computed = equations.map(({ name }) => name)
      expect(computed).toEqual(expect.arrayContaining(['theta', ...rule.stateNames(rule.defaults)]))
      for (const { name, result } of equations) {
        expectClose(result, results[name], { relative: 1e-12 })
      }
    }
  },
)

test('equations are those of the options, with letters and with numbers', () => {
  const symbols = (name: string, options: Options, t = 2): readonly string[] =>
    stepEquations(configure(name, options), t).map(({ symbols }) => symbols)
  // As docs/rule.md has them, with αₜ for α√c₂/c₁ and εₜ for ε√c₂.
  const moments = ['m ← β₁m + (1 − β₁)g', 'v ← β₂v + (1 − β₂)g²']
  const step = 'θ ← θ − αₜξm / (√v + ε)'
  expect(symbols('diffgrad', {})).toEqual(['ξ = σ(|p − g|)', ...moments, step, 'p ← g'])
  expect(symbols('diffgrad', { version: 1 })[0]).toBe('ξ = σ(p − g)')
  expect(symbols('diffgrad', { version: 2 })[0]).toBe('ξ = 9σ(½|p − g|) − 4')
  expect(symbols('diffgrad', { aliased: true })[0]).toBe('ξ = ½')
  expect(symbols('diffgrad', { weightDecay: 0.1 })).toContain('p ← g + λθ')
  expect(symbols('adam', {})).toEqual([...moments, 'θ ← θ − αₜm / (√v + εₜ)'])
  expect(symbols('lion', {})).toEqual(['θ ← θ − α·sign(β₁m + (1 − β₁)g)', 'm ← β₂m + (1 − β₂)g'])
  expect(symbols('sgd', { momentum: 0.9, nesterov: true })[1]).toBe('θ ← θ − α(g + μm)')
  const { inputs } = new Trajectory(configure('diffgrad'), landscapeViews.f1.landscape, [-1], {
    inspected: true,
  }).internals(3)[2]
  const [{ numbers, result }] = stepEquations(configure('diffgrad'), 3, inputs)
  const [, p, g] =
    /^σ\(\|(\S+) − \((\S+)\)\|\)$/.exec(numbers.replaceAll('−', '-').replace(' - ', ' − ')) ?? []
  expectClose([1 / (1 + Math.exp(-Math.abs(Number(p) - Number(g))))], result, { relative: 1e-4 })
})

test('a change of one optimizer keeps the trajectories of the others', () => {
  const cache = new TrajectoryCache()
  const state = storyState('adam-overshoots')
  const [first, second] = cache.of(state)
  const changed = { ...state, optimizers: [state.optimizers[0], configure('diffgrad')] }
  expect(cache.of(changed)[0]).toBe(first)
  expect(cache.of(changed)[1]).not.toBe(second)
})

test('a race does not run past its end, and does not jump after a long frame', () => {
  const race = { speed: 60, steps: 300 }
  expect(advancePosition(299.5, 0.05, race)).toBe(300)
  expectClose(advancePosition(0, 0.05, race), 3, { relative: 1e-12 })
  expect(advancePosition(0, -0.01, race)).toBe(0)
  expectClose(advancePosition(0, 3600, race), 6, { relative: 1e-12 })
})

test.each(Object.entries(stories))('the facts of the story %s hold', (name, { facts }) => {
  const { landscape: view, optimizers, start, steps } = storyState(name)
  const { landscape } = landscapeViews[view]
  const trajectories = optimizers.map((config) => new Trajectory(config, landscape, start))
  for (const { text, holds } of facts) {
    expect({ text, holds: holds(trajectories, { steps, landscape }) }).toEqual({
      text,
      holds: true,
    })
  }
})

test('labels of optimizers contain the options in which they differ, and no others', () => {
  const half = withOption(configure('adam'), 'learningRate', 5e-4)
  expect(optimizerLabels([configure('adam'), configure('diffgrad')])).toEqual(['Adam', 'diffGrad'])
  expect(optimizerLabels([configure('adam'), half])).toEqual(['Adam · α 0.001', 'Adam · α 0.0005'])
  expect(
    optimizerLabels([configure('diffgrad'), configure('diffgrad', { aliased: true })]),
  ).toEqual(['diffGrad · fixed', 'diffGrad · original'])
  expect(optimizerLabels([configure('diffgrad'), configure('diffgrad', {}, 100)])).toEqual([
    'diffGrad · loss × 1',
    'diffGrad · loss × 100',
  ])
})

test('a change to another optimizer keeps the options that both have', () => {
  const adam = configure('adam', { learningRate: 0.3, amsgrad: true }, 2)
  expect(withOptimizer(adam, 'diffgrad')).toEqual(configure('diffgrad', { learningRate: 0.3 }, 2))
  const signed = configure('diffgrad', { version: 1 })
  expect(withOptimizer(signed, 'diffrgrad')).toEqual(configure('diffrgrad')) // Its default is 1.
})

test('an unknown optimizer is rejected by name', () => {
  expect(() => configure('nobody')).toThrow(new RangeError('there is no optimizer nobody'))
})

test('numbers have a minus sign, and coordinates two decimals', () => {
  expect([-0.3, 1.234e-7, 0, -Infinity].map(formatNumber)).toEqual([
    '−0.3000',
    '1.23e−7',
    '0.0000',
    '−∞',
  ])
  expect(formatRounded([3, -2.8051, -0.001])).toBe('3.00, −2.81, 0.00')
})
