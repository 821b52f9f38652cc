import { maxPool } from '@tensorflow/tfjs-core'
import type { Operator } from '../operator.ts'
import { slidingOf } from '../padding.ts'
import { Value } from '../value.ts'

/** The largest element of every window. */
export const MaxPool: Operator = (application) => {
  const { image } = application.input(0)
  const kernel = application.integers('kernel_shape', [])
  const { size, strides, pad, dilations } = slidingOf(application, kernel, image.shape.slice(1))
  application.require('dilations', '1,1', `${dilations}`)
  return Value.ofImage(maxPool(image, size, strides, pad))
}
