import { ArraysOptimizer, type ArraysOptions, allocate } from '@diffgrad/arrays'
import {
  allRules,
  diffGrad,
  type Hyperparameters,
  plateau,
  type StateDict,
  type StepOutcome,
  type UpdateRule,
} from '@diffgrad/core'
import { seeded } from '@diffgrad/onnx'
import { expect, test } from 'vitest'
import { shareRanks, threadRank } from '../src/index.ts'

const shapes: Readonly<Record<string, readonly number[]>> = { w: [7, 5], b: [5], deep: [3, 4, 2] }

type Arrays = Readonly<Record<string, Float32Array>>

/** The gradients of a batch by its number, or other arrays of their sizes. */
function gradientsOf(batch: number): Arrays {
  const random = seeded(batch)
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const length = shape.reduce((a, b) => a * b)
      return [name, Float32Array.from({ length }, () => random.normal())]
    }),
  )
}

type Options = ArraysOptions<Hyperparameters>

/** An optimizer of weights that are the same at every call. */
function newOptimizer(rule: UpdateRule, options: Options) {
  const parameters: Arrays = allocate(shapes).parameters
  for (const [name, values] of Object.entries(gradientsOf(1000))) parameters[name].set(values)
  const optimizer = new ArraysOptimizer(rule, parameters, options)
  return { parameters, optimizer }
}

interface Run {
  readonly outcomes: readonly StepOutcome[]
  readonly weights: Arrays
  readonly state: StateDict
}

/** A range of batches, and the state to start from. */
interface Part {
  readonly first?: number
  readonly end?: number
  readonly from?: Run | undefined
  /** Replaces the gradients of a batch. */
  readonly gradients?: (batch: number, rank: number) => Arrays
}

/** Trains on batches 0 to 23, which the ranks share, and reports a loss after each update. */
function train(
  rule: UpdateRule,
  options: Options,
  ranks: number,
  { first = 0, end = 24, from, gradients = gradientsOf }: Part = {},
): Promise<readonly Run[]> {
  const shared = shareRanks(ranks)
  const all = Array.from({ length: ranks }, async (_, rank) => {
    const { parameters, optimizer } = newOptimizer(rule, options)
    optimizer.distribute(threadRank(shared, rank))
    if (from) optimizer.loadStateDict(from.state)
    for (const [name, values] of Object.entries(from?.weights ?? {})) parameters[name].set(values)
    const outcomes: StepOutcome[] = []
    for (let batch = first + rank; batch < end; batch += ranks) {
      const outcome = await optimizer.stepAsync(gradients(batch, rank))
      if (outcome === 'updated') optimizer.report(1 / (1 + (optimizer.updates % 3)))
      outcomes.push(outcome)
    }
    return { outcomes, weights: parameters, state: optimizer.stateDict() }
  })
  return Promise.all(all)
}

const every: Options = {
  clip: { by: 'globalNorm', limit: 0.5 },
  ema: { decay: 0.9 },
  lookahead: { every: 3, alpha: 0.5 },
  skipNotFinite: true,
  learningRate: plateau({ from: 0.1, factor: 0.5, patience: 1 }),
}

/** The largest difference of two runs' weights, relative to their largest element. */
function difference(a: Run, b: Run): number {
  const [x, y] = [a, b].map(({ weights }) => Object.values(weights).flatMap((one) => [...one]))
  const largest = Math.max(...x.map(Math.abs))
  return Math.max(...x.map((value, i) => Math.abs(value - y[i]))) / largest
}

const rules = allRules.filter(({ name }) => ['diffGrad', 'Adam', 'Ranger'].includes(name))

test.each(rules)('two ranks equal one with accumulate 2, bit for bit: $name', async (rule) => {
  for (const options of [{ accumulate: 2 }, { ...every, accumulate: 2 }]) {
    const [one] = await train(rule, options, 1)
    const [first, second] = await train(rule, options, 2)
    expect(first.weights).toEqual(one.weights)
    expect(first.state).toEqual(one.state)
    expect(second).toEqual(first)
    expect(first.state.updates).toBe(12)
  }
})

test.each([3, 4])('%i threads, which add in order, equal one bit for bit', async (ranks) => {
  const options = { ...every, accumulate: ranks }
  const [one] = await train(diffGrad, options, 1)
  const [first, ...others] = await train(diffGrad, options, ranks)
  expect(first.weights).toEqual(one.weights)
  expect(first.state).toEqual(one.state)
  for (const other of others) expect(other).toEqual(first)
})

test('ranks with two calls of an update each equal one to rounding, as (g0 + g2) + (g1 + g3) does', async () => {
  const options = { ...every, accumulate: 4 }
  const [one] = await train(diffGrad, options, 1)
  const [first, second] = await train(diffGrad, options, 2)
  expect(difference(one, first)).toBeGreaterThan(0)
  expect(difference(one, first)).toBeLessThan(2e-7)
  expect(second).toEqual(first)
})

test('a state continues on another number of ranks, also between the calls of an update', async () => {
  const options = { ...every, accumulate: 4 }
  const [whole] = await train(diffGrad, options, 1)
  const [early] = await train(diffGrad, options, 1, { end: 10 })
  expect(early.state.accumulated).toBe(2)
  const [middle] = await train(diffGrad, options, 2, { first: 10, end: 16, from: early })
  const [late] = await train(diffGrad, options, 4, { first: 16, from: middle })
  expect(late.state.updates).toBe(whole.state.updates)
  expect(difference(whole, late)).toBeLessThan(2e-7)
})

test('gradients of one rank that are not finite skip the step on all', async () => {
  const options = { ...every, accumulate: 2 }
  const withNaN = (numbers: readonly number[]) => (batch: number) =>
    numbers.includes(batch)
      ? { ...gradientsOf(batch), b: new Float32Array(5).fill(Number.NaN) }
      : gradientsOf(batch)
  const [one] = await train(diffGrad, options, 1, { gradients: withNaN([4, 5]) })
  const [first, second] = await train(diffGrad, options, 2, { gradients: withNaN([5]) })
  expect(first.outcomes[2]).toBe('skipped')
  expect(second).toEqual(first)
  expect(first.weights).toEqual(one.weights)
  expect(first.state.skipped).toEqual({ total: 1, consecutive: 0 })
})

test('the limit of skipped steps is reached on all ranks at once', async () => {
  const shared = shareRanks(2)
  const all = [0, 1].map(async (rank) => {
    const { optimizer } = newOptimizer(diffGrad, { accumulate: 2, skipNotFinite: { limit: 1 } })
    optimizer.distribute(threadRank(shared, rank))
    const wrong = { ...gradientsOf(rank), b: new Float32Array(5).fill(Number.NaN) }
    const gradients = rank === 0 ? gradientsOf(rank) : wrong
    expect(await optimizer.stepAsync(gradients)).toBe('skipped')
    const message = await optimizer.stepAsync(gradients).catch((error: Error) => error.message)
    return [message, optimizer.skipped]
  })
  const message = (which: string): string =>
    `diffGrad: skipped steps in a row must be at most 1, the limit of skipNotFinite, but the gradients of ${which} are not finite again`
  const skipped = { total: 1, consecutive: 1 }
  expect(await Promise.all(all)).toEqual([
    [message('another rank'), skipped],
    [message('b'), skipped],
  ])
})

/** The errors of two ranks. */
const errorsOf = async (
  gradients: NonNullable<Part['gradients']>,
  options: Options = {},
): Promise<readonly string[]> => {
  const shared = shareRanks(2)
  const all = [0, 1].map(async (rank) => {
    const { optimizer } = newOptimizer(diffGrad, { accumulate: 2, ...(rank === 1 && options) })
    optimizer.distribute(threadRank(shared, rank))
    const before = optimizer.stateDict()
    const { message } = await optimizer.stepAsync(gradients(rank, rank)).then(
      () => new Error('none'),
      (error) => error,
    )
    expect(optimizer.stateDict()).toEqual(before)
    return message
  })
  return Promise.all(all)
}

test('an error on one rank is one on all', async () => {
  const errors = await errorsOf((batch, rank) =>
    rank === 0 ? gradientsOf(batch) : { ...gradientsOf(batch), b: new Float32Array(4) },
  )
  const message = 'diffGrad: the gradient of b must be Float32Array(5), but is Float32Array(4)'
  expect(errors).toEqual([`rank 1: ${message}`, message])
})

test('ranks that differ are refused with the first difference', async () => {
  const gradients = (batch: number, rank: number) => {
    const { b, ...others } = gradientsOf(batch)
    return rank === 0 ? { b, ...others } : others
  }
  expect(await errorsOf(gradients)).toEqual(
    Array(2).fill('rank 1: has a gradient of deep where rank 0 has a gradient of b'),
  )
  const [error] = await errorsOf(gradientsOf, { learningRate: 0.5 })
  expect(error).toMatch(/^rank 1: has w: .*"learningRate":0.5.* where rank 0 has w: .*0.001/)
})

test('accumulate must be a multiple of the ranks, and no state is saved within an update', async () => {
  const { optimizer } = newOptimizer(diffGrad, { accumulate: 3 })
  expect(() => optimizer.distribute(threadRank(shareRanks(2), 0))).toThrow(
    'diffGrad: accumulate must be a multiple of the number of ranks, 2, but is 3',
  )
  await expect(train(diffGrad, { accumulate: 4 }, 2, { end: 2 })).rejects.toThrow(
    'several ranks cannot save between the calls of an update',
  )
})
