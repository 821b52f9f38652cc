import '@tensorflow/tfjs-backend-wasm'
import { registerWasmGradients } from '@diffgrad/tfjs/wasm-gradients'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Case, distance, gradientsOn, nameOf } from './convolution.ts'

registerWasmGradients()

/** The largest differences from the cpu backend, which sums in float64. */
async function errors(it: Case): Promise<number[]> {
  const [wasm, cpu] = [await gradientsOn('wasm', it), await gradientsOn('cpu', it)]
  return [distance(wasm.x, cpu.x), distance(wasm.w, cpu.w)]
}

const steps = [
  { strides: [1, 1], dilations: [1, 1] },
  { strides: [2, 2], dilations: [1, 1] },
  { strides: [3, 2], dilations: [1, 1] },
  { strides: [1, 1], dilations: [2, 2] },
  { strides: [1, 1], dilations: [1, 3] },
] satisfies Partial<Case>[]

const pads = [
  'same',
  'valid',
  [
    [0, 0],
    [3, 1],
    [0, 2],
    [0, 0],
  ],
] satisfies Case['pad'][]

const grid = [1, 2, 3, 4, 5, 7].flatMap((size) =>
  steps.flatMap((step) => pads.map((pad) => ({ ...step, pad, size }))),
)

describe.each([
  { depthwise: false, channels: [3, 13] },
  { depthwise: true, channels: [6, 1] },
  { depthwise: true, channels: [3, 2] },
] satisfies Partial<Case>[])('gradients as those of the cpu backend: %o', (kind) => {
  test.each(grid)('$size×$size, strides $strides, dilations $dilations, pad $pad', async (row) => {
    const { size, strides, dilations, pad } = row
    const reach = Math.max(...dilations) * (size - 1) + 1
    const image = [reach + 3, reach + 4] as const
    const it = { ...kind, batch: 2, image, filter: [size, size], strides, dilations, pad } as const
    for (const error of await errors(it)) expect(error).toBeLessThan(1e-5)
  })
})

const size = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max })
const pair = (of: fc.Arbitrary<number>): fc.Arbitrary<[number, number]> => fc.tuple(of, of)
const explicit = fc
  .tuple(pair(fc.nat(4)), pair(fc.nat(4)))
  .map(([tall, wide]): Case['pad'] => [[0, 0], tall, wide, [0, 0]])

const convolutions: fc.Arbitrary<Case> = fc
  .record({
    depthwise: fc.boolean(),
    batch: size(3),
    image: pair(size(9)),
    filter: pair(size(7)),
    channels: pair(size(10)),
    steps: fc.oneof(
      pair(size(4)).map((strides) => ({ strides, dilations: [1, 1] as [number, number] })),
      pair(size(3)).map((dilations) => ({ strides: [1, 1] as [number, number], dilations })),
    ),
    pad: fc.oneof(fc.constantFrom('same' as const, 'valid' as const), explicit),
  })
  .map(({ steps, ...rest }) => ({ ...rest, ...steps }))
  .filter(({ image, filter, dilations, pad }) =>
    image.every((pixels, axis) => {
      const padding = typeof pad === 'string' ? 0 : pad[axis + 1][0] + pad[axis + 1][1]
      return pad === 'same' || pixels + padding > (filter[axis] - 1) * dilations[axis]
    }),
  )

test('gradients of any convolution are those of the cpu backend', async () => {
  await fc.assert(
    fc.asyncProperty(convolutions, async (it) => {
      for (const error of await errors(it)) expect(error, nameOf(it)).toBeLessThan(1e-5)
    }),
    { numRuns: 200 },
  )
})

test.each([1, 3, 5, 7])(
  'sums over many pixels stay as exact: kernels of %s on a side',
  async (size) => {
    const it: Case = {
      depthwise: false,
      batch: 16,
      image: [40, 40],
      filter: [size, size],
      channels: [2, 4],
      strides: [1, 1],
      dilations: [1, 1],
      pad: 'same',
    }
    for (const error of await errors(it)) expect(error).toBeLessThan(1e-5)
  },
)
