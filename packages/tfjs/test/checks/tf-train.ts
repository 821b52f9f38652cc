import { expectClose } from '@diffgrad/testing/tolerance'
import * as tf from '@tensorflow/tfjs'
import { expect } from 'vitest'
import { Adam, type RuleOptimizer, SGD } from '../../src/index.ts'
import type { Check } from './fixtures.ts'

// What the tests of tfjs-core's own optimizers state, of ours: the same numbers as `tf.train` in the same
// program, and as the equations.

/** An optimizer of `tf.train` and ours, with the same settings. */
interface Pair {
  readonly theirs: () => tf.Optimizer
  readonly ours: () => RuleOptimizer
}

// ε is 1e-7 in tf.train, and 1e-4 where numbers have 16 bits.
const epsilon = 1e-7
const sgd: Pair = { theirs: () => tf.train.sgd(0.1), ours: () => new SGD(0.1) }
const momentum = (nesterov: boolean): Pair => ({
  theirs: () => tf.train.momentum(0.1, 0.5, nesterov),
  ours: () => new SGD(0.1, 0.5, nesterov),
})
const adam: Pair = {
  theirs: () => tf.train.adam(0.1, 0.8, 0.9, epsilon),
  ours: () => new Adam(0.1, 0.8, 0.9, epsilon),
}

const variable = (values: number | number[], trainable = true): tf.Variable =>
  tf.tidy(() => tf.variable(tf.tensor(values), trainable))

const count = (): number => tf.memory().numTensors

/** Disposes of an optimizer, and of the scalar that momentum of tf.train leaves behind. */
function disposeOf(optimizer: tf.Optimizer): void {
  optimizer.dispose()
  const scalar: unknown = Reflect.get(optimizer, 'c')
  if (scalar instanceof tf.Tensor) scalar.dispose()
}

/** x² + bias, and a variable that the cost does not depend on. */
async function withBias(
  { theirs, ours }: Pair,
  use: (
    optimizer: tf.Optimizer,
    variables: { readonly x: tf.Variable; readonly bias: tf.Variable; readonly f: () => tf.Scalar },
  ) => Promise<void>,
  trainable = true,
): Promise<readonly [ours: readonly number[], theirs: readonly number[]]> {
  const run = async (optimizer: tf.Optimizer): Promise<readonly number[]> => {
    const [x, bias, stray] = [variable(4, trainable), variable(1), variable(-1)]
    const f = (): tf.Scalar => tf.add(tf.square(x), bias).asScalar()
    await use(optimizer, { x, bias, f })
    const end = await Promise.all([x, bias, stray].map(async (one) => (await one.data())[0]))
    disposeOf(optimizer)
    tf.dispose([x, bias, stray])
    return end
  }
  return [await run(ours()), await run(theirs())]
}

/** Minimizes Σx² from a start, and returns x after each step. */
async function descend(
  optimizer: tf.Optimizer,
  start: number | number[],
  steps: number,
): Promise<readonly number[]> {
  const x = variable(start)
  const seen: number[] = []
  for (let t = 0; t < steps; t++) {
    optimizer.minimize(() => tf.sum(tf.square(x)).asScalar(), false, [x])
    seen.push(...(await x.data()))
  }
  disposeOf(optimizer)
  x.dispose()
  return seen
}

/** Continues with a new optimizer, with the weights of the one before, at each of three steps. */
async function relay(make: () => tf.Optimizer, start: number | number[]) {
  const x = variable(start)
  const f = (): tf.Scalar => tf.sum(tf.square(x)).asScalar()
  const seen: number[] = []
  let optimizer = make()
  let names: readonly string[] = []
  for (let t = 1; t <= 3; t++) {
    optimizer.minimize(f, false, [x])
    expect(optimizer.iterations).toBe(t)
    seen.push(...(await x.data()))
    const weights = await optimizer.getWeights()
    names = weights.map(({ name }) => name.replace(x.name, 'x'))
    const next = make()
    await next.setWeights(weights)
    weights[0].tensor.dispose() // The number of iterations, which nobody else disposes of.
    disposeOf(optimizer)
    optimizer = next
  }
  disposeOf(optimizer)
  x.dispose()
  return { seen, names }
}

/** The tensors that each of the first two calls of `minimize` adds, and `dispose` leaves. */
function tensorCounts(optimizer: tf.Optimizer, start: number | number[], returnCost: boolean) {
  const x = variable(start)
  const f = (): tf.Scalar => tf.sum(tf.square(x)).asScalar()
  const before = count()
  const cost = optimizer.minimize(f, returnCost, [x])
  const first = count() - before
  const second = optimizer.minimize(f, false, [x])
  const added = count() - before - first
  expect([cost !== null, second]).toEqual([returnCost, null])
  cost?.dispose()
  disposeOf(optimizer)
  const left = count() - before
  x.dispose()
  return { first, added, left }
}

const pairs: readonly (readonly [string, Pair, start: number | number[], slots: number])[] = [
  ['SGD', sgd, 4, 0],
  ['momentum', momentum(false), [1, 2], 1],
  ['Nesterov momentum', momentum(true), [1, 2], 1],
  ['Adam', adam, [2, 4], 2],
]

/** The first steps by the equations. */
const equations: readonly (readonly [string, Pair, number | number[], readonly number[]])[] = [
  ['SGD', sgd, 4, [4 * 0.8, 4 * 0.8 ** 2]],
  ['momentum', momentum(false), [1, 2], [0.8, 1.6, 0.8 - 0.1 * 2.6, 1.6 - 0.1 * 5.2]],
  ['Nesterov momentum', momentum(true), [1, 2], [0.7, 1.4, 0.7 - 0.26, 1.4 - 0.52]],
  ['Adam', adam, [2, 4], [1.9, 3.9]],
]

/** Facts about the optimizers of tfjs-core that hold for ours. */
export const tfTrainChecks: readonly Check[] = [
  ...pairs.map(([name, { ours, theirs }, start]) => ({
    name: `tf.train: ${name} takes the steps of tf.train`,
    async run() {
      expectClose(await descend(ours(), start, 20), await descend(theirs(), start, 20), {
        relative: 2e-4,
        absolute: 1e-5,
      })
    },
  })),
  ...equations.map(([name, { ours }, start, expected]) => ({
    name: `tf.train: ${name} takes the steps of its equation`,
    async run() {
      const found = await descend(ours(), start, 2)
      expectClose(found.slice(0, expected.length), expected, { relative: 1e-5, absolute: 1e-6 })
    },
  })),
  ...pairs.map(([name, { ours, theirs }, start, slots]) => ({
    name: `tf.train: ${name} continues with the weights of another optimizer`,
    async run() {
      const [own, other] = [await relay(ours, start), await relay(theirs, start)]
      expectClose(own.seen, other.seen, { relative: 2e-4, absolute: 1e-5 })
      expect(own.names).toEqual(['iter', 'state', ...['x/m', 'x/v'].slice(0, slots)])
    },
  })),
  ...pairs.map(([name, { ours, theirs }, start, slots]) => ({
    name: `tf.train: ${name} adds the cost, its state and a header of two tensors, once`,
    async run() {
      for (const cost of [false, true]) {
        const [own, other] = [
          tensorCounts(ours(), start, cost),
          tensorCounts(theirs(), start, cost),
        ]
        expect(other).toMatchObject({ first: slots + Number(cost), added: 0 })
        expect(own).toEqual({ first: slots + 2 + Number(cost), added: 0, left: 0 })
      }
    },
  })),
  {
    name: 'tf.train: minimize moves the variables of the cost, or of a list, and returns the cost if asked',
    async run() {
      const [own, other] = await withBias(sgd, async (optimizer, { f }) => {
        const cost = optimizer.minimize(f, true)
        expectClose((await cost?.data()) ?? [], [17], { relative: 1e-5, absolute: 0 })
        cost?.dispose()
        expect(optimizer.minimize(f)).toBeNull()
      })
      expectClose(own, [4 * 0.8 ** 2, 0.8, -1], { relative: 1e-5, absolute: 0 })
      expectClose(own, other, { relative: 1e-5, absolute: 0 })
      const listed = await withBias(sgd, async (optimizer, { f, x }) => {
        for (let t = 0; t < 2; t++) optimizer.minimize(f, false, [x])
      })
      for (const end of listed) expectClose(end, [2.56, 1, -1], { relative: 1e-5, absolute: 0 })
      const all = await withBias(sgd, async (optimizer, { f, x, bias }) => {
        for (let t = 0; t < 2; t++) optimizer.minimize(f, false, [x, bias])
      })
      for (const end of all) expectClose(end, [2.56, 0.8, -1], { relative: 1e-5, absolute: 0 })
    },
  },
  {
    name: 'tf.train: a variable that is not trainable does not move',
    async run() {
      const ends = await withBias(
        sgd,
        async (optimizer, { f }) => void optimizer.minimize(f),
        false,
      )
      for (const end of ends) expectClose(end, [4, 0.9, -1], { relative: 1e-5, absolute: 0 })
    },
  },
  {
    name: 'tf.train: minimize refuses lists without a trainable variable, and a cost that is no scalar',
    async run() {
      await withBias(
        sgd,
        async (optimizer, { f, x }) => {
          expect(() => optimizer.minimize(f, true, [])).toThrow(
            'none of the 0 variables is trainable',
          )
          expect(() => optimizer.minimize(f, true, [x])).toThrow(
            'none of the 1 variables is trainable',
          )
        },
        false,
      )
      await withBias(sgd, async (optimizer, { x }) => {
        const f = (): tf.Scalar => tf.mul(x, [1, 2]) // Its type is wrong on purpose.
        expect(() => tf.tidy(() => void optimizer.minimize(f))).toThrow('must return a scalar')
      })
    },
  },
  {
    name: 'tf.train: an optimizer is an Optimizer, and equals itself after a round trip of its configuration',
    async run() {
      for (const [, { ours }] of pairs) {
        const optimizer = ours()
        expect(optimizer).toBeInstanceOf(tf.Optimizer)
        const Class = optimizer.constructor as typeof SGD | typeof Adam
        const again = Class.fromConfig<RuleOptimizer>(Class, optimizer.getConfig())
        expect(again.getConfig()).toEqual(optimizer.getConfig())
        expect(again.iterations).toBe(0)
      }
    },
  },
  {
    name: 'tf.train: learningRate *= 0.1 during training acts as on tf.train.adam',
    async run() {
      const run = async (
        optimizer: tf.Optimizer & { learningRate?: number },
      ): Promise<readonly number[]> => {
        const x = variable([2, 4])
        const seen: number[] = []
        for (let t = 0; t < 4; t++) {
          optimizer.minimize(() => tf.sum(tf.square(x)).asScalar(), false, [x])
          seen.push(...(await x.data()))
          optimizer.learningRate = Number(optimizer.learningRate) * 0.1
        }
        disposeOf(optimizer)
        x.dispose()
        return seen
      }
      // The types of tf.train hide its learning rate.
      const theirs = await run(adam.theirs() as tf.Optimizer & { learningRate?: number })
      expectClose(await run(adam.ours()), theirs, { relative: 1e-5, absolute: 0 })
      expect(theirs[6]).toBeGreaterThan(theirs[2] - 0.02)
    },
  },
  {
    name: 'tf.train: two optimizers of the same variable keep their own state',
    async run() {
      const x = variable([1, 2])
      const [a, b] = [new SGD(0.1, 0.5), new SGD(0.1, 0.5)]
      for (const optimizer of [a, b]) optimizer.minimize(() => tf.sum(tf.square(x)).asScalar())
      expectClose(await x.data(), [0.64, 1.28], { relative: 1e-5, absolute: 0 })
      a.dispose()
      b.minimize(() => tf.sum(tf.square(x)).asScalar())
      expectClose(await x.data(), [0.64 - 0.1 * (0.8 + 1.28), 1.28 - 0.1 * (1.6 + 2.56)], {
        relative: 1e-5,
        absolute: 0,
      })
      b.dispose()
      x.dispose()
    },
  },
]
