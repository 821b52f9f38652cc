import { adam, diffGrad, scheduleValue } from '@diffgrad/core'
import { expect, test } from 'vitest'
import { contendersOf, presets } from '../src/compare/contender.ts'
import { standingsOf } from '../src/compare/standing.ts'
import { resolveConfig } from '../src/config/config.ts'
import { spelled } from '../src/config/options.ts'
import { suggestion } from '../src/lr-find/suggestion.ts'
import { optimizerOf } from '../src/recipe/optimizer.ts'

test("a resolved configuration has the recipe's settings of its rule, and resolves to itself", () => {
  const config = resolveConfig({})
  expect(config).toMatchObject({ beta1: 0.95, beta2: 0.99, epsilon: 1e-6, friction: 0, flat: 0.72 })
  expect(config).not.toHaveProperty('momentum')
  expect(resolveConfig(JSON.parse(JSON.stringify(config)))).toEqual(config)
  expect(resolveConfig({ optimizer: 'sgd' })).toMatchObject({ momentum: 0.9, nesterov: false })
})

test('the optimizer of a configuration is that of core, with its own settings', () => {
  const { rule, groups, ...options } = optimizerOf(resolveConfig({ friction: 1, clip: 2 }), 100)
  expect(rule).toBe(diffGrad)
  expect(groups).toHaveLength(1)
  expect(options).toMatchObject({
    version: 1,
    aliased: false,
    weightDecay: 1e-2,
    decay: 'decoupled',
    clip: { by: 'globalNorm', limit: 2 },
  })
  const rate = (step: number): number => scheduleValue(options.learningRate ?? 0, step)
  expect([rate(0), rate(71)]).toEqual([4e-3, 4e-3])
  expect(rate(86)).toBeCloseTo(2e-3)
  expect(rate(100)).toBe(0)
  expect(optimizerOf(resolveConfig({ optimizer: 'adam' }), 100).rule).toBe(adam)
})

test('with one-cycle the momentum falls while the learning rate rises', () => {
  const options = optimizerOf(resolveConfig({ schedule: 'one-cycle' }), 100)
  expect(options).toMatchObject({ beta1: { kind: 'join' }, learningRate: { kind: 'join' } })
  expect(resolveConfig({ schedule: 'one-cycle' })).not.toHaveProperty('beta1')
})

test.each([
  [{ schedule: 'one-cycle', beta1: 0.5 }, '--beta1 has a course of its own'],
  [
    { schedule: 'one-cycle', optimizer: 'sgd', momentum: 0.5 },
    '--momentum has a course of its own',
  ],
  [
    { optimizer: 'sgd', nesterov: true, momentum: 0 },
    '--momentum, which must be above 0, but is 0',
  ],
  [{ decay: 'l2', weightDecay: 0 }, '--decay l2 is about the --weight-decay, which is 0'],
])('what has no effect together is refused: %o', (given, complaint) => {
  expect(() => resolveConfig(given)).toThrow(complaint)
})

test('settings are spelled as the command line has them', () => {
  const given = { size: 32, flip: false, aliased: true, data: 'my dogs' }
  expect(spelled(given)).toEqual(['--size', '32', '--no-flip', '--aliased', '--data', 'my dogs'])
  expect(spelled({ flip: true })).toEqual([])
})

test('contenders have options of their own, and the control is always there', () => {
  const contenders = contendersOf(presets.thread, { learningRate: 0.01, epochs: 2 })
  expect(contenders).toHaveLength(8)
  const [first, second] = contenders
  expect(first.config).toMatchObject({ optimizer: 'diffgrad', friction: 0, epochs: 2 })
  expect(second.config).toMatchObject({ optimizer: 'diffgrad', friction: 1, learningRate: 0.01 })
  expect(contenders[7]).toMatchObject({
    name: 'adam --learning-rate 0.005',
    config: { optimizer: 'adam', learningRate: 0.005 },
  })
  expect(() => contendersOf(['adam --friction 1'], {})).toThrow(
    'contender "adam --friction 1": --friction is no option of Adam',
  )
})

test('standings are means over seeds, and differences within them', () => {
  const epochs = (top1: number) => [
    {
      epoch: 1,
      trainLoss: 1,
      trainAccuracy: 0.5,
      validationLoss: 1,
      top1,
      top5: 1,
      learningRate: 1,
      seconds: 2,
      picturesPerSecond: 1,
    },
  ]
  const outcome = (contender: string, seed: number, top1: number) => ({
    contender,
    seed,
    history: { losses: [], epochs: epochs(top1), friction: [] },
  })
  const outcomes = [
    outcome('a', 1, 0.5),
    outcome('b', 1, 0.6),
    outcome('a', 2, 0.7),
    outcome('b', 2, 0.6),
  ]
  const [a, b] = standingsOf(outcomes, ['a', 'b', 'c'])
  expect(a.mean).toBeCloseTo(0.6)
  expect(a.spread).toBeCloseTo(Math.sqrt(0.02))
  expect(b.spread).toBe(0)
  expect(b.difference.mean).toBeCloseTo(0)
  expect(b.difference.spread).toBeCloseTo(Math.sqrt(0.02))
  expect(b.difference.wins).toBe(1)
})

test('the suggested learning rate is where the loss falls fastest', () => {
  const trials = Array.from({ length: 100 }, (_, i) => {
    const rate = 1e-5 * 10 ** (i / 20)
    // Falls by a logistic curve around 1e-3, and rises beyond 0.1.
    const fall = 1 / (1 + Math.exp(-4 * Math.log10(rate / 1e-3)))
    return { rate, loss: 3 - fall + Math.max(0, Math.log10(rate / 0.1)) + 0.02 * (i % 2) }
  })
  expect(Math.abs(Math.log10((suggestion(trials) ?? 0) / 1e-3))).toBeLessThan(0.15)
  expect(suggestion(trials.map(({ rate }) => ({ rate, loss: rate })))).toBeUndefined()
})

test('the embedded pictures have a smaller network, unless told otherwise', () => {
  expect(resolveConfig({})).toMatchObject({ data: 'shapes', size: 48, width: 32, epochs: 8 })
  expect(resolveConfig({ size: 64 })).toMatchObject({ size: 64, width: 32 })
  expect(resolveConfig({ data: 'dogs' })).toMatchObject({ size: 64, width: 64, epochs: 5 })
  expect(resolveConfig({ backbone: 'a/b' })).toMatchObject({ size: 48, width: 64, tune: 'all' })
})
