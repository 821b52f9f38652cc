import '@tensorflow/tfjs-backend-wasm'
import { testSeed } from '@diffgrad/testing/seed'
import { expectWithinUlps } from '@diffgrad/testing/tolerance'
import { registerWasmGradients } from '@diffgrad/tfjs-wasm-gradients'
import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { on, onBoth, readTensor } from './backends.ts'

registerWasmGradients()

interface Pooling {
  readonly image: [height: number, width: number]
  readonly size: [number, number]
  readonly strides: [number, number]
  readonly pad: 'same' | 'valid'
}

const gradient = ({ image, size, strides, pad }: Pooling): tf.Tensor =>
  tf.tidy(() => {
    const x = tf.randomNormal([2, ...image, 3], 0, 1, 'float32', testSeed(1))
    return tf.grad((x) => tf.square(tf.maxPool(x.as4D(2, ...image, 3), size, strides, pad)))(x)
  })

const pair = (max: number): fc.Arbitrary<[number, number]> =>
  fc.tuple(fc.integer({ min: 1, max }), fc.integer({ min: 1, max }))

const poolings: fc.Arbitrary<Pooling> = fc
  .record({
    image: pair(9),
    size: pair(4),
    strides: pair(4),
    pad: fc.constantFrom('same', 'valid'),
  })
  .filter(({ image, size }) => image.every((pixels, axis) => pixels >= size[axis]))

test('gradients of max pooling equal those of the cpu backend', async () => {
  await fc.assert(
    fc.asyncProperty(poolings, async (pooling) => {
      const { wasm, cpu } = await onBoth(() => readTensor(gradient(pooling)))
      // A pixel is the maximum of at most 16 windows, whose gradients are equal: 15 roundings.
      expectWithinUlps(wasm.values, cpu.values, 16)
    }),
  )
})

test('the greatest of negative numbers gets the gradient, and the first of equal numbers', async () => {
  const { values } = await on('wasm', () => {
    const x = tf.tensor4d([-3, -1, -2, -1], [1, 2, 2, 1])
    return readTensor(tf.grad((x) => tf.maxPool(x.as4D(1, 2, 2, 1), 2, 2, 'valid'))(x))
  })
  expect([...values]).toEqual([0, 1, 0, 0])
})
