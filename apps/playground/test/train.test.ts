import { DiffGrad } from '@diffgrad/arrays'
import { expect, test } from 'vitest'
import { racer } from '../src/optimizers/racer.ts'
import { frictionEdges } from '../src/train/friction-edges.ts'
import { batchOf, draw, edge, shuffled } from '../src/train/pictures.ts'
import { blank, noted } from '../src/train/record.ts'

test.each([0, 1, 2])('no friction of version %i falls outside its histogram', (version) => {
  const edges = frictionEdges(racer('diffgrad', { version }))
  const theta = new Float32Array(8)
  const optimizer = new DiffGrad({ theta }, { version: version === 1 ? 1 : version === 2 ? 2 : 0 })
  const gradients = Float32Array.of(0, 1e-12, -1e-7, 1e-4, -0.01, 1, -30, 1e6)
  const { xi } = optimizer.histograms({ theta: gradients }, { xi: edges })
  expect(xi.outside).toBe(0)
  expect(xi.counts.reduce((a, b) => a + b)).toBe(8)
})

test('a batch holds the pictures that were asked for, channel by channel', () => {
  const pictures = draw(5, 3)
  const { input, target } = batchOf(pictures, [4, 1])
  expect(target).toEqual([pictures.labels[4], pictures.labels[1]])
  const plane = edge * edge
  const byte = pictures.pixels[(4 * plane + 77) * 3 + 2]
  expect(input[2 * plane + 77]).toBeCloseTo(byte / 127.5 - 1, 6)
  expect(input).toHaveLength(2 * 3 * plane)
})

test('every picture is seen once before any is seen again, in an order of the seed', () => {
  const batches = shuffled(12, 4, 9)
  const epoch = [0, 1, 2].flatMap(() => batches.next().value ?? [])
  expect(epoch.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i))
  expect(shuffled(12, 4, 9).next().value).toEqual(epoch.slice(0, 4))
  expect(shuffled(12, 4, 8).next().value).not.toEqual(epoch.slice(0, 4))
})

test('the record of a training holds what was told', () => {
  const step = { kind: 'step', racer: 1, milliseconds: 5, friction: undefined } as const
  const told = [
    { ...step, step: 1, loss: 2 },
    { ...step, step: 2, loss: 1 },
    { kind: 'judged', racer: 1, step: 2, accuracy: 0.25 } as const,
    { kind: 'done' } as const,
  ]
  const record = told.reduce(noted, blank(2))
  expect(record.runs[0]).toEqual(blank(2).runs[0])
  expect(record.runs[1].losses).toEqual([2, 1])
  expect(record.runs[1].smooth[1]).toBeCloseTo(1.9, 12)
  expect(record.runs[1].accuracies).toEqual([[2, 0.25]])
  expect(record.over).toBe(true)
})
