import '@tensorflow/tfjs-backend-wasm'
import { testSeed } from '@diffgrad/testing/seed'
import { expectClose } from '@diffgrad/testing/tolerance'
import { registerWasmGradients } from '@diffgrad/tfjs-wasm-gradients'
import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { expectSameSums, on, onBoth, readTensor } from './backends.ts'

registerWasmGradients()
registerWasmGradients() // A second call changes nothing.

const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 })
const reductions = sizes.chain((shape) => {
  const axes = shape.map((_, axis) => axis)
  return fc.record({
    shape: fc.constant(shape),
    axes: fc.subarray(axes, { minLength: 1 }),
    keepDims: fc.boolean(),
  })
})

test.each([
  ['sum', tf.sum],
  ['mean', tf.mean],
])('%s equals that of the cpu backend', async (_, reduce) => {
  await fc.assert(
    fc.asyncProperty(reductions, async ({ shape, axes, keepDims }) => {
      const input = (): tf.Tensor => tf.randomUniform(shape, 0.5, 1.5, 'float32', testSeed(1))
      const { wasm, cpu } = await onBoth(() =>
        readTensor(tf.tidy(() => reduce(input(), axes, keepDims))),
      )
      expect(wasm.shape).toEqual(cpu.shape)
      expectSameSums(wasm.values, cpu.values)
    }),
  )
})

test('sums of a million rows are as exact as short ones, and leave no data', async () => {
  await on('wasm', async () => {
    const before = tf.backend().numDataIds()
    const { values } = await readTensor(tf.tidy(() => tf.sum(tf.fill([1_000_000, 5], 0.1), 0)))
    expectClose(values, new Array(5).fill(1e5), { relative: 1e-5 })
    expect(tf.backend().numDataIds()).toBe(before)
  })
})

test('segment sums equal those of the cpu backend, ids out of range included', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 9 }),
      fc.array(fc.integer({ min: -2, max: 12 }), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 10 }),
      async (width, ids, segments) => {
        const { wasm, cpu } = await onBoth(() =>
          readTensor(
            tf.tidy(() => {
              const x = tf.randomNormal([ids.length, width], 0, 1, 'float32', testSeed(2))
              return tf.unsortedSegmentSum(x, tf.tensor1d(ids, 'int32'), segments)
            }),
          ),
        )
        expect(wasm.shape).toEqual(cpu.shape)
        // Sums of up to 40 standard normal numbers.
        expectSameSums(wasm.values, cpu.values, 10)
      },
    ),
    { numRuns: 50 },
  )
})

test('segment ids may have more than one axis, as in TensorFlow', async () => {
  const sums = await on('wasm', () => {
    const x = tf.tensor3d([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2])
    const segmentIds = tf.tensor2d([0, 1, 1, 0], [2, 2], 'int32')
    // `tf.unsortedSegmentSum` is declared for one axis.
    return readTensor(
      tf.engine().runKernel('UnsortedSegmentSum', { x, segmentIds }, { numSegments: 3 }),
    )
  })
  expect(sums).toEqual({ shape: [3, 2], values: Float32Array.of(8, 10, 8, 10, 0, 0) })
})

const sizesAndRepetitions = fc.array(
  fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 })),
  { maxLength: 5 },
)

test('tile equals that of the cpu backend', async () => {
  await fc.assert(
    fc.asyncProperty(
      sizesAndRepetitions,
      fc.constantFrom('float32', 'int32', 'bool'),
      async (axes, dtype) => {
        const shape = axes.map(([size]) => size)
        const repetitions = axes.map(([, times]) => times)
        const size = shape.reduce((product, size) => product * size, 1)
        const values = Array.from({ length: size }, (_, i) => (dtype === 'bool' ? i % 2 : i))
        const { wasm, cpu } = await onBoth(async () => {
          const y = tf.tile(tf.tensor(values, shape, dtype), repetitions)
          return { dtype: y.dtype, ...(await readTensor(y)) }
        })
        expect(wasm).toEqual(cpu)
      },
    ),
  )
})
