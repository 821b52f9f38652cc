import { expect, test } from 'vitest'
import { optionOf, racer } from '../src/optimizers/racer.ts'
import { courses } from '../src/race/course.ts'
import { Descent } from '../src/race/descent.ts'
import { gridOf } from '../src/swarm/grid.ts'
import { summaryOf } from '../src/swarm/summary.ts'
import { nowhere, reachIn, Swarm } from '../src/swarm/swarm.ts'
import { betas, isRefused, rates, settings, sweep } from '../src/swarm/sweep.ts'

const { landscape, window } = courses.himmelblau
const starts = gridOf(window, [20, 20])
const reach = reachIn(window)

test('a grid fills its window from the top left, row by row', () => {
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

test.each(['diffgrad', 'adam', 'diffmod'] as const)(
  'each member of a swarm of %s fares as it would alone',
  (name) => {
    const who = racer(name, { learningRate: 0.05 })
    const swarm = new Swarm(who, landscape, starts, reach)
    while (swarm.steps < 60) swarm.step()
    for (const i of [0, 57, 210, 399]) {
      const alone = new Descent(who, landscape, [starts[i], starts[400 + i]])
      const [x, y] = alone.at(60)
      expect(swarm.points[i]).toBeCloseTo(x, 3) // The swarm has single precision.
      expect(swarm.points[400 + i]).toBeCloseTo(y, 3)
    }
  },
)

test('a swarm knows where its members are, and since when', () => {
  const swarm = new Swarm(racer('adam', { learningRate: 0.1 }), landscape, starts, reach)
  const homes: (readonly number[])[] = [[...swarm.home]]
  while (swarm.steps < 150) {
    swarm.step()
    homes.push([...swarm.home])
  }
  for (let i = 0; i < swarm.size; i++) {
    const last = homes[150][i]
    const away = homes.findLastIndex((home) => home[i] !== last)
    expect(swarm.arrived[i]).toBe(last === nowhere ? nowhere : away + 1)
  }
  const { share, median } = summaryOf(swarm)
  expect(share).toBeGreaterThan(0.9)
  expect(median).toBeGreaterThan(10)
})

test('what is infinite is lost', () => {
  const points = Float32Array.of(1, Number.NaN, 0, Number.POSITIVE_INFINITY, 0, 0, 0, 0)
  const arrived = Int16Array.of(3, nowhere, 5, nowhere)
  expect(summaryOf({ points, arrived, size: 4 })).toEqual({ share: 0.5, median: 3, lost: 0.5 })
})

test('a sweep tries every setting, each as a swarm of its own', () => {
  const cells = [...sweep(racer('diffgrad'), courses.f1, { beta: 'beta2', steps: 20 })]
  expect(cells).toHaveLength(settings)
  const cell = cells.find(
    ({ racer }) => optionOf(racer, 'learningRate') === 0.1 && optionOf(racer, 'beta2') === 0.9,
  )
  expect(cell && [rates[cell.column], betas[cell.row]]).toEqual([0.1, 0.9])
  const alone = new Swarm(
    racer('diffgrad', { learningRate: 0.1, beta2: 0.9 }),
    courses.f1.landscape,
    gridOf(courses.f1.window, [64]),
    reachIn(courses.f1.window),
  )
  while (alone.steps < 20) alone.step()
  expect(cell?.outcome).toEqual(summaryOf(alone))
})

test('the sweep of an optimizer without β varies its momentum', () => {
  const [first] = sweep(racer('sgd'), courses.f1, { beta: 'beta1', steps: 1 })
  expect(first.racer).toEqual(racer('sgd', { learningRate: 0.001 }))
})

test('a sweep goes on where the library refuses a setting, and has its words', () => {
  const nesterov = racer('sgd', { momentum: 0.9, nesterov: true })
  const cells = [...sweep(nesterov, courses.f1, { beta: 'beta1', steps: 1 })]
  expect(cells).toHaveLength(settings)
  const refused = cells.filter(({ outcome }) => isRefused(outcome))
  expect(refused.map(({ row }) => row)).toEqual(rates.map(() => betas.indexOf(0)))
  const complaint = 'SGD: nesterov needs a momentum above 0'
  for (const { outcome } of refused) expect(outcome).toEqual({ complaint })
})
