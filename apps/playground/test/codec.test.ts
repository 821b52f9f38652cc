import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addressOf, stateOf } from '../src/address/address.ts'
import { told } from '../src/address/race-code.ts'
import { readRacer, writeRacer } from '../src/address/racer-code.ts'
import { field } from '../src/optimizers/field.ts'
import { racer, withOption } from '../src/optimizers/racer.ts'
import { courses } from '../src/race/course.ts'
import { stories } from '../src/race/stories.ts'

const racers = fc
  .record({
    name: fc.constantFrom('diffgrad', 'diffrgrad', 'adam', 'adamw', 'ranger', 'sgd' as const),
    learningRate: fc.double({ min: 0, max: 10, noNaN: true }).map((rate) => rate + 0), // No −0.
    weightDecay: fc.constantFrom(0, 0.1, 1e-7),
    decay: fc.constantFrom('l2', 'decoupled'),
    lossScale: fc.constantFrom(1, 100, 0.01),
    order: fc.shuffledSubarray(['momentum', 'nesterov'], { minLength: 2 }),
  })
  .map(({ name, lossScale, order, ...options }) => {
    const momentous = order.map((option) => [option, option === 'nesterov' || 0.9] as const)
    const all = [...(name === 'sgd' ? momentous : []), ...Object.entries(options)]
    return all.reduce(
      (changed, [option, value]) => withOption(changed, option, value),
      racer(name, {}, lossScale),
    )
  })

test('a racer is read as it was written', () => {
  fc.assert(
    fc.property(racers, (some) => {
      expect(readRacer(writeRacer(some))).toEqual(some)
    }),
  )
})

test('a race, a swarm and a training are read as they were written', () => {
  const places = fc.double({ min: -1e3, max: 1e3, noNaN: true }).map((x) => x + 0)
  const races = fc
    .record({
      course: fc.constantFrom(...Object.keys(courses)),
      list: fc.array(racers, { minLength: 2, maxLength: 4 }),
      x: places,
      y: places,
      steps: fc.integer({ min: 1, max: 2000 }),
      speed: fc.integer({ min: 1, max: 240 }),
    })
    .map(({ course, list, x, y, steps, speed }) => ({
      tab: 'race' as const,
      course,
      racers: list,
      start: [x, y].slice(0, courses[course].window.length),
      steps,
      speed,
      at: steps >> 1,
      selected: 1,
      story: undefined,
    }))
  const swarms = fc
    .record({ list: fc.array(racers, { minLength: 1, maxLength: 4 }), sweeps: fc.boolean() })
    .map(({ list, sweeps }) => ({
      tab: 'swarm' as const,
      course: sweeps ? 'f1' : 'beale',
      racers: list,
      mode: sweeps ? ('sweep' as const) : ('starts' as const),
      view: 'cloud' as const,
      beta: 'beta2' as const,
      steps: 77,
    }))
  const trainings = fc.tuple(racers, racers).map(([first, second]) => ({
    tab: 'train' as const,
    engine: 'webgpu' as const,
    racers: [
      { ...first, lossScale: 1 },
      { ...second, lossScale: 1 },
    ] as const,
    steps: 12,
    seed: 5,
  }))
  fc.assert(
    fc.property(fc.oneof(races, swarms, trainings), (state) => {
      expect(stateOf(addressOf(state))).toEqual(state)
    }),
  )
})

test.each(Object.keys(stories))('the address of the story %s is its name', (name) => {
  const state = { ...told(name), at: 7 }
  expect(addressOf(state)).toContain(`story=${name}`)
  expect(stateOf(addressOf(state))).toEqual(state)
})

test('whatever an address says, the page can show it', () => {
  const words = fc.stringMatching(/^[-a-z0-9.,:=&?]{0,60}$/)
  const heads = fc.constantFrom(
    '',
    '#race?',
    '#swarm?on=f1&o=',
    '#train?o=adam,',
    '#race?o=sgd,nesterov:true&from=',
  )
  fc.assert(
    fc.property(heads, words, (head, word) => {
      const state = stateOf(head + word)
      expect(stateOf(addressOf(state))).toEqual(state)
      for (const { name, options } of state.racers) {
        field[name].create(new Float64Array(1), options)
      }
    }),
  )
})

test('an option out of range is left at its default', () => {
  expect(readRacer('adam,beta1:1,learningRate:0.5')).toEqual(racer('adam', { learningRate: 0.5 }))
  expect(readRacer('sgd,momentum:2,nesterov:true')).toEqual(racer('sgd'))
  expect(readRacer('nobody')).toBeUndefined()
})
