import { expectClose } from '@diffgrad/testing/tolerance'
import * as tf from '@tensorflow/tfjs'

/** The backends that are compared. The cpu backend sums in float64. */
export type BackendName = 'cpu' | 'wasm'

/** Makes a backend the current one and runs `compute` on it. */
export async function on<R>(backend: BackendName, compute: () => R | Promise<R>): Promise<R> {
  await tf.setBackend(backend)
  return compute()
}

/** The result of `compute` on wasm, and on cpu. */
export async function onBoth<R>(
  compute: (backend: BackendName) => R | Promise<R>,
): Promise<{ readonly wasm: R; readonly cpu: R }> {
  const wasm = await on('wasm', () => compute('wasm'))
  return { wasm, cpu: await on('cpu', () => compute('cpu')) }
}

/** The shape and the float32 elements of a tensor, which is disposed of. */
export async function readTensor(tensor: tf.Tensor) {
  const values = Float32Array.from(await tensor.data())
  const { shape } = tensor
  tensor.dispose()
  return { shape, values }
}

/**
 * Throws unless every element is within 1e-5 of the largest magnitude of `expected`: sums of products
 * of both signs cancel, so their rounding errors are on the scale of the summands.
 *
 * @param minimumScale - what that magnitude is taken to be at least; for few results, which may all be
 * near zero.
 */
export function expectSameSums(
  actual: Float32Array,
  expected: Float32Array,
  minimumScale = 0,
): void {
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), minimumScale)
  expectClose(actual, expected, { relative: 1e-5, absolute: 1e-5 * scale })
}
