import { backend, env } from '@tensorflow/tfjs-core'
import { isWebgl } from './engines/webgl.ts'

/** What TensorFlow.js has for ε where numbers have 16 bits. */
export const halfEpsilon = 1e-4

/**
 * Whether numbers have 16 bits. By the flag: `floatPrecision()` of TensorFlow.js 4.22 says 16 of all that
 * has 32.
 */
export const isHalf = (): boolean =>
  isWebgl(backend()) && !env().getBool('WEBGL_RENDER_FLOAT32_ENABLED')
