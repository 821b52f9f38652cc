import fc from 'fast-check'
import { expect, test } from 'vitest'
import { landscapeViews } from '../src/landscapes.ts'
import { configure, validationError, withOption } from '../src/optimizers/config.ts'
import { stories, storyState } from '../src/race/stories.ts'
import { decodeOptimizer, decodeState, encodeOptimizer, encodeState } from '../src/url.ts'

const configs = fc
  .record({
    name: fc.constantFrom('diffgrad', 'diffrgrad', 'adam', 'adamw', 'ranger', 'sgd'),
    learningRate: fc.double({ min: 0, max: 10, noNaN: true }).map((rate) => rate + 0), // No −0.
    weightDecay: fc.constantFrom(0, 0.1, 1e-7),
    decay: fc.constantFrom('l2', 'decoupled'),
    lossScale: fc.constantFrom(1, 100, 0.01),
    order: fc.shuffledSubarray(['momentum', 'nesterov'], { minLength: 2 }),
  })
  .map(({ name, lossScale, order, ...options }) => {
    const momentum = order.map((option) => [option, option === 'nesterov' || 0.9] as const)
    const all = [...(name === 'sgd' ? momentum : []), ...Object.entries(options)]
    return all.reduce(
      (changed, [option, value]) => withOption(changed, option, value),
      configure(name, {}, lossScale),
    )
  })

test('an optimizer is decoded as it was encoded', () => {
  fc.assert(
    fc.property(configs, (config) => {
      expect(decodeOptimizer(encodeOptimizer(config))).toEqual(config)
    }),
  )
})

test('the state of each tab is decoded as it was encoded', () => {
  const coordinates = fc.double({ min: -1e3, max: 1e3, noNaN: true }).map((x) => x + 0)
  const races = fc
    .record({
      landscape: fc.constantFrom(...Object.keys(landscapeViews)),
      optimizers: fc.array(configs, { minLength: 2, maxLength: 4 }),
      x: coordinates,
      y: coordinates,
      steps: fc.integer({ min: 1, max: 2000 }),
      speed: fc.integer({ min: 1, max: 240 }),
    })
    .map(({ landscape, optimizers, x, y, steps, speed }) => ({
      tab: 'race' as const,
      landscape,
      optimizers,
      start: [x, y].slice(0, landscapeViews[landscape].window.length),
      steps,
      speed,
      currentStep: steps >> 1,
      selected: 1,
      story: undefined,
    }))
  const swarms = fc
    .record({
      optimizers: fc.array(configs, { minLength: 1, maxLength: 4 }),
      mode: fc.constantFrom('starts' as const, 'sweep' as const),
    })
    .map(({ optimizers, mode }) => ({
      tab: 'swarm' as const,
      landscape: mode === 'sweep' ? 'f1' : 'beale',
      optimizers,
      mode,
      view: 'cloud' as const,
      beta: 'beta2' as const,
      steps: 77,
    }))
  const trainings = fc.tuple(configs, configs).map(([first, second]) => ({
    tab: 'train' as const,
    provider: 'webgpu' as const,
    optimizers: [
      { ...first, lossScale: 1 },
      { ...second, lossScale: 1 },
    ] as const,
    steps: 12,
    seed: 5,
  }))
  const fineTunings = fc.record({
    tab: fc.constant('fine-tune' as const),
    method: fc.constantFrom('head' as const, 'lora' as const),
    rank: fc.integer({ min: 1, max: 64 }),
    provider: fc.constantFrom('wasm' as const, 'webgpu' as const),
    steps: fc.integer({ min: 1, max: 10_000 }),
    batch: fc.integer({ min: 1, max: 256 }),
    seed: fc.nat(),
    optimizer: configs.map((config) => ({ ...config, lossScale: 1 })),
  })
  const evidence = fc.record({
    tab: fc.constant('evidence' as const),
    draws: fc.integer({ min: 1, max: 10_000 }),
    runs: fc.constantFrom(1, 5, 25),
  })
  fc.assert(
    fc.property(fc.oneof(races, swarms, trainings, fineTunings, evidence), (state) => {
      expect(decodeState(encodeState(state))).toEqual(state)
    }),
  )
})

test.each(Object.keys(stories))('the URL of the story %s has its name', (name) => {
  const state = { ...storyState(name), currentStep: 7 }
  expect(encodeState(state)).toContain(`story=${name}`)
  expect(decodeState(encodeState(state))).toEqual(state)
})

test('links that were shared keep their meaning', () => {
  const race =
    '#race?on=f2&from=0.5&steps=80&o=diffgrad,learningRate:0.05,version:2&o=sgd,momentum:0.9,nesterov:true,lossScale:0.1&at=33&speed=20&see=1'
  expect(decodeState(race)).toEqual({
    tab: 'race',
    landscape: 'f2',
    start: [0.5],
    steps: 80,
    optimizers: [
      configure('diffgrad', { learningRate: 0.05, version: 2 }),
      configure('sgd', { momentum: 0.9, nesterov: true }, 0.1),
    ],
    currentStep: 33,
    speed: 20,
    selected: 1,
    story: undefined,
  })
  const swarm = '#swarm?on=f1&mode=sweep&view=cloud&beta=beta2&steps=20&o=radam&o=adamod'
  expect(decodeState(swarm)).toEqual({
    tab: 'swarm',
    landscape: 'f1',
    mode: 'sweep',
    view: 'cloud',
    beta: 'beta2',
    steps: 20,
    optimizers: [configure('radam'), configure('adamod')],
  })
  const training = '#train?engine=webgpu&steps=50&seed=3&o=diffmod&o=ranger'
  expect(decodeState(training)).toEqual({
    tab: 'train',
    provider: 'webgpu',
    steps: 50,
    seed: 3,
    optimizers: [configure('diffmod'), configure('ranger')],
  })
  for (const hash of [race, swarm, training]) expect(encodeState(decodeState(hash))).toBe(hash)
})

test('any URL decodes to a valid state', () => {
  const words = fc.stringMatching(/^[-a-z0-9.,:=&?]{0,60}$/)
  const prefixes = fc.constantFrom(
    '',
    '#race?',
    '#swarm?on=f1&o=',
    '#train?o=adam,',
    '#race?o=sgd,nesterov:true&from=',
    '#fine-tune?method=head&o=',
    '#evidence?runs=25&draws=',
  )
  fc.assert(
    fc.property(prefixes, words, (prefix, word) => {
      const state = decodeState(prefix + word)
      expect(decodeState(encodeState(state))).toEqual(state)
      if (state.tab === 'evidence') return
      const configs = state.tab === 'fine-tune' ? [state.optimizer] : state.optimizers
      for (const config of configs) expect(validationError(config)).toBeUndefined()
    }),
  )
})

test('an invalid option gets its default', () => {
  expect(decodeOptimizer('adam,beta1:1,learningRate:0.5')).toEqual(
    configure('adam', { learningRate: 0.5 }),
  )
  expect(decodeOptimizer('sgd,momentum:2,nesterov:true')).toEqual(configure('sgd'))
  expect(decodeOptimizer('nobody')).toBeUndefined()
})
