import '@tensorflow/tfjs-backend-wasm'
import { registerWasmGradients } from '@diffgrad/tfjs/wasm-gradients'
import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { expect, test } from 'vitest'

registerWasmGradients()

const axes = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 })), {
  maxLength: 5,
})

test('tensors are repeated as on the cpu backend', async () => {
  await fc.assert(
    fc.asyncProperty(axes, fc.constantFrom('float32', 'int32', 'bool'), async (axes, dtype) => {
      const shape = axes.map(([size]) => size)
      const reps = axes.map(([, times]) => times)
      const size = shape.reduce((product, size) => product * size, 1)
      const values = Array.from({ length: size }, (_, i) => (dtype === 'bool' ? i % 2 : i))
      const on = async (backend: string) => {
        await tf.setBackend(backend)
        const y = tf.tile(tf.tensor(values, shape, dtype), reps)
        return { shape: y.shape, dtype: y.dtype, values: [...(await y.data())] }
      }
      expect(await on('wasm')).toEqual(await on('cpu'))
    }),
  )
})
