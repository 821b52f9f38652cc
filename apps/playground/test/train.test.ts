import { DiffGrad } from '@diffgrad/arrays'
import { testSeed } from '@diffgrad/testing/seed'
import { expectClose, expectWithinUlps } from '@diffgrad/testing/tolerance'
import { expect, test } from 'vitest'
import { shuffledBatches } from '../src/batches.ts'
import { configure } from '../src/optimizers/config.ts'
import { frictionEdges } from '../src/optimizers/friction.ts'
import { drawPictures, edge, toBatch } from '../src/train/pictures.ts'
import { initialProgress, reduce } from '../src/train/progress.ts'

test.each([0, 1, 2] as const)('no friction of version %i is outside its histogram', (version) => {
  const edges = frictionEdges(configure('diffgrad', { version }))
  const theta = new Float32Array(8)
  const optimizer = new DiffGrad({ theta }, { version })
  const gradients = Float32Array.of(0, 1e-12, -1e-7, 1e-4, -0.01, 1, -30, 1e6)
  const { xi } = optimizer.histograms({ theta: gradients }, { xi: edges })
  expect(xi.outside).toBe(0)
  expect(xi.counts.reduce((a, b) => a + b)).toBe(8)
})

test('a batch has the requested pictures, channel by channel', () => {
  const pictures = drawPictures(5, testSeed(3))
  const { input, target } = toBatch(pictures, [4, 1])
  expect(target).toEqual([pictures.labels[4], pictures.labels[1]])
  const plane = edge * edge
  const byte = pictures.pixels[(4 * plane + 77) * 3 + 2]
  expectWithinUlps(input[2 * plane + 77], byte / 127.5 - 1, 1)
  expect(input).toHaveLength(2 * 3 * plane)
})

test('every epoch has each picture once, in an order that depends on the seed', () => {
  const epoch = (seed: number): readonly number[] => {
    const batches = shuffledBatches(12, 4, seed)
    return [0, 1, 2].flatMap(() => batches.next().value)
  }
  const order = epoch(testSeed(9))
  expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i))
  expect(epoch(testSeed(9))).toEqual(order)
  expect(epoch(testSeed(8))).not.toEqual(order)
})

test('events of the worker add up to the progress', () => {
  const step = { kind: 'step', optimizer: 1, milliseconds: 5, friction: undefined } as const
  const events = [
    { ...step, step: 1, loss: 2 },
    { ...step, step: 2, loss: 1 },
    { kind: 'evaluation', optimizer: 1, step: 2, accuracy: 0.25 } as const,
    { kind: 'done' } as const,
  ]
  const { optimizers, finished } = events.reduce(reduce, initialProgress(2))
  expect(optimizers[0]).toEqual(initialProgress(2).optimizers[0])
  expect(optimizers[1].losses).toEqual([2, 1])
  expectClose(optimizers[1].averagedLosses, [2, 1.9], { relative: 1e-12 })
  expect(optimizers[1].accuracies).toEqual([[2, 0.25]])
  expect(finished).toBe(true)
})
