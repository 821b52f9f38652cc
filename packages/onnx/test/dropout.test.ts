import { testSeed } from '@diffgrad/testing/seed'
import { expect, test } from 'vitest'
import {
  buildModel,
  dropout,
  gradientModel,
  type Lowering,
  linear,
  meanSquaredError,
  sequential,
} from '../src/index.ts'
import { feedsOf, float, floats, session } from './session.ts'

const [rows, columns, ratio] = [64, 250, 0.3]
const size = rows * columns
/** The mean of products of two independent, standardized variables has this deviation. */
const deviation = 1 / Math.sqrt(size)

/** The outputs of some steps: ones through one or two Dropouts and no other layer. */
async function stepsOf(
  seed: number,
  count: number,
  layers = 1,
  lowering: Partial<Lowering> = {},
): Promise<readonly Float32Array[]> {
  const ones = { type: 'float32', shape: [1], data: Float32Array.of(0) } as const
  const built = buildModel(sequential(...Array.from({ length: layers }, () => dropout(ratio))), {
    shape: [rows, columns],
    seed: 1,
  })
  const [last] = built.outputs
  const bias = { operator: 'Add', domain: '', name: 'bias', attributes: new Map() }
  const model = {
    ...built,
    nodes: [...built.nodes, { ...bias, inputs: [last?.name ?? '', 'b'], outputs: ['y'] }],
    initializers: new Map([...built.initializers, ['b', ones] as const]),
    outputs: [{ name: 'y', type: 'float32', shape: [rows, columns] } as const],
  }
  const gradient = gradientModel(model, { loss: meanSquaredError(), seed, lowering })
  const runner = await session(gradient.model)
  const feeds = {
    input: float(new Float32Array(size).fill(1), [rows, columns]),
    target: float(new Float32Array(size), [rows, columns]),
    ...feedsOf(gradient.parameters),
  }
  let statistics = feedsOf(gradient.statistics)
  const steps: Float32Array[] = []
  for (let t = 0; t < count; t++) {
    const results = await runner.run({ ...feeds, ...statistics })
    steps.push(floats(results, 'y'))
    statistics = Object.fromEntries(
      [...gradient.statistics].map(([name, { next }]) => [name, float(floats(results, next), [1])]),
    )
  }
  return steps
}

/** 1 where an element was kept, standardized. */
const standardized = (y: Float32Array): Float32Array =>
  y.map((value) => (Number(value > 0) - (1 - ratio)) / Math.sqrt(ratio * (1 - ratio)))

const mean = (x: Float32Array): number => x.reduce((sum, value) => sum + value, 0) / x.length

test('Dropout with a seed keeps a share of 1 − ratio, at random over elements, steps, layers and seeds', async () => {
  const seed = testSeed(1)
  const steps = await stepsOf(seed, 4)
  const [other = new Float32Array()] = await stepsOf(seed + 1, 1)
  const both = await stepsOf(seed, 1, 2)
  const masks = [...steps, other].map(standardized)
  const [first = new Float32Array()] = masks
  for (const mask of masks) expect(Math.abs(mean(mask))).toBeLessThan(5 * deviation)
  for (const mask of masks.slice(1))
    expect(Math.abs(mean(first.map((x, i) => x * (mask[i] ?? 0))))).toBeLessThan(5 * deviation)
  for (const lag of [1, 2, 3, columns, columns + 1]) {
    const shifted = first.map((x, i) => x * (first[(i + lag) % size] ?? 0))
    expect(Math.abs(mean(shifted))).toBeLessThan(5 * deviation)
  }
  // Of two layers, the second drops independently: 0.7² of the elements stay.
  const share = mean((both[0] ?? first).map((value) => Number(value > 0)))
  expect(Math.abs(share - 0.49)).toBeLessThan(5 * 0.5 * deviation)
  expect([...new Set(steps[0])].toSorted((a, b) => a - b)).toEqual([0, Math.fround(1 / 0.7)])
  expect(await stepsOf(seed, 4)).toEqual(steps)
  // Providers without Mod, such as WebGPU, drop the same elements.
  expect(await stepsOf(seed, 4, 1, { operators: 'plain' })).toEqual(steps)
})

test('a seed is checked by name, and in evaluation mode it has no effect', () => {
  const model = buildModel(sequential(linear(2), dropout(0.5)), { shape: [2, 2], seed: 1 })
  const loss = meanSquaredError()
  expect(() => gradientModel(model, { loss, seed: 0.5 })).toThrow(
    'model options: seed must be an integer, but is 0.5',
  )
  expect(gradientModel(model, { loss, seed: 1, mode: 'evaluate' }).statistics.size).toBe(0)
})
