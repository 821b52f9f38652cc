import { avgPool, div, onesLike, pad as padded, type Tensor4D } from '@tensorflow/tfjs-core'
import type { Operator } from '../operator.ts'
import { slidingOf } from '../padding.ts'
import { Value } from '../value.ts'

/**
 * The mean of every window; padding does not count. TensorFlow.js differentiates that as if it did, so
 * the mean with zeros is divided by the share of the window that is not padding.
 */
export const AveragePool: Operator = (application) => {
  const { image } = application.input(0)
  application.require('count_include_pad', 0, application.integer('count_include_pad', 0))
  const kernel = application.integers('kernel_shape', [])
  const { size, strides, pad, dilations } = slidingOf(application, kernel, image.shape.slice(1))
  application.require('dilations', '1,1', `${dilations}`)
  const means = (x: Tensor4D): Tensor4D => avgPool(padded(x, pad), size, strides, 'valid')
  const whole = pad.flat().every((pixels) => pixels === 0)
  return Value.ofImage(whole ? means(image) : div(means(image), means(onesLike(image))))
}
