import '@tensorflow/tfjs-backend-wasm'
import { registerWasmGradients } from '@diffgrad/tfjs/wasm-gradients'
import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { expect, test } from 'vitest'

registerWasmGradients()

interface Pooling {
  readonly image: [height: number, width: number]
  readonly size: [number, number]
  readonly strides: [number, number]
  readonly pad: 'same' | 'valid'
}

async function gradientOn(backend: string, { image, size, strides, pad }: Pooling) {
  await tf.setBackend(backend)
  const x = tf.randomNormal([2, ...image, 3], 0, 1, 'float32', 1)
  return tf
    .grad((x) => tf.square(tf.maxPool(x.as4D(2, ...image, 3), size, strides, pad)))(x)
    .data()
}

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

test('gradients of max pooling are those of the cpu backend', async () => {
  await fc.assert(
    fc.asyncProperty(poolings, async (it) => {
      const [wasm, cpu] = [await gradientOn('wasm', it), await gradientOn('cpu', it)]
      for (const [i, value] of wasm.entries()) {
        expect(Math.abs(value - cpu[i])).toBeLessThanOrEqual(1e-6 * Math.abs(cpu[i]))
      }
    }),
  )
})

test('the greatest of negative numbers gets the gradient, the first of equal ones', async () => {
  await tf.setBackend('wasm')
  const x = tf.tensor4d([-3, -1, -2, -1], [1, 2, 2, 1])
  const gradient = tf.grad((x) => tf.maxPool(x.as4D(1, 2, 2, 1), 2, 2, 'valid'))(x)
  expect([...(await gradient.data())]).toEqual([0, 1, 0, 0])
})
