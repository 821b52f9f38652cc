import '@tensorflow/tfjs-backend-wasm'
import { registerWasmGradients } from '@diffgrad/tfjs/wasm-gradients'
import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { distance } from './convolution.ts'

registerWasmGradients()
registerWasmGradients() // Once more changes nothing.

const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 })
const reductions = sizes.chain((shape) => {
  const axes = shape.map((_, axis) => axis)
  return fc.record({
    shape: fc.constant(shape),
    axes: fc.subarray(axes, { minLength: 1 }),
    keep: fc.boolean(),
  })
})

test.each([tf.sum, tf.mean])('%o is that of the cpu backend', async (reduce) => {
  await fc.assert(
    fc.asyncProperty(reductions, async ({ shape, axes, keep }) => {
      const on = async (backend: string) => {
        await tf.setBackend(backend)
        const y = tf.tidy(() => reduce(tf.randomNormal(shape, 1, 1, 'float32', 1), axes, keep))
        const result = { shape: y.shape, values: Float32Array.from(await y.data()) }
        y.dispose()
        return result
      }
      const [wasm, cpu] = [await on('wasm'), await on('cpu')]
      expect(wasm.shape).toEqual(cpu.shape)
      expect(distance(wasm.values, cpu.values)).toBeLessThan(1e-5)
    }),
  )
})

test('sums of a million rows keep their digits', async () => {
  await tf.setBackend('wasm')
  const before = tf.backend().numDataIds()
  const sums = tf.tidy(() => tf.sum(tf.fill([1_000_000, 5], 0.1), 0))
  for (const sum of await sums.data()) expect(Math.abs(sum / 1e5 - 1)).toBeLessThan(1e-5)
  sums.dispose()
  expect(tf.backend().numDataIds()).toBe(before)
})
