import { expectClose } from '@diffgrad/testing/tolerance'
import { expect, test } from 'vitest'
import { landscapeViews } from '../src/landscapes.ts'
import { configure, optionValue } from '../src/optimizers/config.ts'
import { Trajectory } from '../src/race/trajectory.ts'
import { arrivalRadius, gridOf, none, Swarm, summarize } from '../src/swarm/swarm.ts'
import { betas, cellCount, isInvalid, rates, sweep } from '../src/swarm/sweep.ts'

const { landscape, window } = landscapeViews.himmelblau
const starts = gridOf(window, [20, 20])
const radius = arrivalRadius(window)

test('a grid fills its window row by row from the top left', () => {
  const points = gridOf(
    [
      [0, 4],
      [0, 2],
    ],
    [4, 2],
  )
  expect([...points]).toEqual([
    0.5, 1.5, 2.5, 3.5, 0.5, 1.5, 2.5, 3.5, 1.5, 1.5, 1.5, 1.5, 0.5, 0.5, 0.5, 0.5,
  ])
})

test.each(['diffgrad', 'adam', 'diffmod', 'schedulefreesgd', 'schedulefreeadamw'])(
  'each member of a swarm of %s moves as if it were alone',
  (name) => {
    // Schedule-Free SGD has no momentum, and a steep wall.
    const config = configure(name, { learningRate: name === 'schedulefreesgd' ? 0.005 : 0.05 })
    const swarm = new Swarm(config, landscape, starts, radius)
    while (swarm.steps < 60) swarm.step()
    for (const i of [0, 57, 210, 399]) {
      const alone = new Trajectory(config, landscape, [starts[i], starts[400 + i]])
      const member = [swarm.points[i], swarm.points[400 + i]]
      expectClose(member, alone.at(60), { relative: 1e-4, absolute: 1e-4 }) // float32 and float64
    }
  },
)

test('a swarm tracks which minimum each member is at, and since which step', () => {
  const swarm = new Swarm(configure('adam', { learningRate: 0.1 }), landscape, starts, radius)
  const history: (readonly number[])[] = [[...swarm.minimumAt]]
  while (swarm.steps < 150) {
    swarm.step()
    history.push([...swarm.minimumAt])
  }
  for (let i = 0; i < swarm.size; i++) {
    const last = history[150][i]
    const before = history.findLastIndex((minimumAt) => minimumAt[i] !== last)
    expect(swarm.arrivalStep[i]).toBe(last === none ? none : before + 1)
  }
  const { arrived, medianStep } = summarize(swarm)
  expect(arrived).toBeGreaterThan(0.9)
  expect(medianStep).toBeGreaterThan(10)
})

test('members with a NaN or infinite coordinate count as diverged', () => {
  const points = Float32Array.of(1, Number.NaN, 0, Number.POSITIVE_INFINITY, 0, 0, 0, 0)
  const arrivalStep = Int16Array.of(3, none, 5, none)
  expect(summarize({ points, arrivalStep, size: 4 })).toEqual({
    arrived: 0.5,
    medianStep: 3,
    diverged: 0.5,
  })
})

const { f1 } = landscapeViews

test('a sweep runs a swarm for every cell', () => {
  const cells = [...sweep(configure('diffgrad'), f1, { beta: 'beta2', steps: 20 })]
  expect(cells).toHaveLength(cellCount)
  const cell = cells.find(
    ({ config }) =>
      optionValue(config, 'learningRate') === 0.1 && optionValue(config, 'beta2') === 0.9,
  )
  expect(cell && [rates[cell.column], betas[cell.row]]).toEqual([0.1, 0.9])
  const alone = new Swarm(
    configure('diffgrad', { learningRate: 0.1, beta2: 0.9 }),
    f1.landscape,
    gridOf(f1.window, [64]),
    arrivalRadius(f1.window),
  )
  while (alone.steps < 20) alone.step()
  expect(cell?.result).toEqual(summarize(alone))
})

test('the sweep of an optimizer without β varies its momentum', () => {
  const [first] = sweep(configure('sgd'), f1, { beta: 'beta1', steps: 1 })
  expect(first.config).toEqual(configure('sgd', { learningRate: 0.001 }))
})

test('a sweep continues after invalid options, and keeps their error message', () => {
  const nesterov = configure('sgd', { momentum: 0.9, nesterov: true })
  const cells = [...sweep(nesterov, f1, { beta: 'beta1', steps: 1 })]
  expect(cells).toHaveLength(cellCount)
  const invalid = cells.filter(({ result }) => isInvalid(result))
  expect(invalid.map(({ row }) => row)).toEqual(rates.map(() => betas.indexOf(0)))
  const error = 'SGD: nesterov needs a momentum above 0'
  for (const { result } of invalid) expect(result).toEqual({ error })
})
