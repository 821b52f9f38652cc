import { add, conv2d, type Tensor4D, transpose } from '@tensorflow/tfjs-core'
import type { Operator } from '../operator.ts'
import { slidingOf } from '../padding.ts'
import { Value } from '../value.ts'

/** y[p] = Σₖ w[k]·x[stride·p + dilation·k − begin] + b, for images and one group. */
export const Conv: Operator = (application) => {
  application.require('group', 1, application.integer('group', 1))
  const { image } = application.input(0)
  const weight = application.input(1).onnx
  application.require('the number of axes', 4, weight.shape.length)
  const filter = transpose(weight as Tensor4D, [2, 3, 1, 0]) // Of four axes, as was just seen.
  const { strides, pad, dilations } = slidingOf(application, filter.shape, image.shape.slice(1))
  const y = conv2d(image, filter, strides, pad, 'NHWC', dilations)
  const bias = application.optional(2)
  return Value.ofImage(bias ? add(y, bias.onnx) : y)
}
