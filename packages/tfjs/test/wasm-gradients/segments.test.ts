import '@tensorflow/tfjs-backend-wasm'
import { registerWasmGradients } from '@diffgrad/tfjs/wasm-gradients'
import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { distance } from './convolution.ts'

registerWasmGradients()

async function sumsOn(backend: string, width: number, ids: number[], segments: number) {
  await tf.setBackend(backend)
  const x = tf.randomNormal([ids.length, width], 0, 1, 'float32', 1)
  const sums = tf.unsortedSegmentSum(x, tf.tensor1d(ids, 'int32'), segments)
  return { shape: sums.shape, values: await sums.data<'float32'>() }
}

test('sums of segments are those of the cpu backend, where some rows belong to none', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 9 }),
      fc.array(fc.integer({ min: -2, max: 12 }), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 10 }),
      async (width, ids, segments) => {
        const wasm = await sumsOn('wasm', width, ids, segments)
        const cpu = await sumsOn('cpu', width, ids, segments)
        expect(wasm.shape).toEqual(cpu.shape)
        expect(distance(wasm.values, cpu.values)).toBeLessThan(1e-5)
      },
    ),
    { numRuns: 50 },
  )
})

test('segments of more axes than one, as in TensorFlow', async () => {
  await tf.setBackend('wasm')
  const x = tf.tensor3d([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2])
  const segmentIds = tf.tensor2d([0, 1, 1, 0], [2, 2], 'int32')
  // `tf.unsortedSegmentSum` is declared for one axis.
  const sums: tf.Tensor = tf
    .engine()
    .runKernel('UnsortedSegmentSum', { x, segmentIds }, { numSegments: 3 })
  expect(sums.shape).toEqual([3, 2])
  expect([...(await sums.data())]).toEqual([8, 10, 8, 10, 0, 0])
})
