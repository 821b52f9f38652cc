import { Operation } from '../ir/operation.ts'
import { sizes } from '../ir/value.ts'
import type { Placement } from '../ops/from-model.ts'
import { apply, pad, reshape, slice, transpose } from '../ops/operations.ts'
import { convolutionWindow } from '../shapes/convolution.ts'
import { slide } from '../shapes/window.ts'

/** With fewer images, their products are wide enough one by one. */
const fewestImages = 8

/**
 * Convolves a batch of small images as one tall image: the images stand below each other, with zeros
 * between them, and what a kernel sees across a border is thrown away. Many small matrix products
 * become one wide one.
 */
export const foldBatch: Placement = (graph, node, inputs) => {
  const [image, weight, bias] = inputs
  if (node.operator !== 'Conv' || node.domain !== '' || !image || !weight) return
  if (image.shape.length !== 4 || graph.lowering.foldBatchUpTo === 0) return
  const operation = new Operation(graph, { ...node, inputs })
  const window = convolutionWindow(operation)
  const [top = 0, left = 0] = window.begin
  const [bottom = 0, right = 0] = window.end
  const [stride = 1] = window.strides
  const [batch = 1, channels = 1, height = 1, width = 1] = sizes(image)
  const points = slide(operation, window)
  const [rows = 1, columns = 1] = points
  if (batch < fewestImages || rows * columns > graph.lowering.foldBatchUpTo) return
  if (operation.int('group', 1) !== 1 || window.dilations.some((dilation) => dilation !== 1)) return
  if ([top, left, bottom, right].some((amount) => amount < 0)) return

  // Every image gets a height that the stride divides, so that each begins at a place of the kernel.
  const step = Math.ceil((height + top + bottom) / stride) * stride
  const apart = pad(transpose(image, [1, 0, 2, 3]), [0, 0, top, 0], [0, 0, step - height - top, 0])
  const tall = reshape(apart, [1, channels, batch * step, width])
  const [kernelHeight = 1] = window.kernel
  const convolved = apply('Conv', [tall, weight, bias], {
    kernel_shape: window.kernel,
    strides: window.strides,
    pads: [0, left, kernelHeight - 1, right],
  })
  const [outputs = 1] = sizes(weight)
  const images = reshape(convolved, [outputs, batch, step / stride, columns])
  const whole = step / stride === rows
  const cut = whole ? images : slice(images, [{ axis: 2, start: 0, end: rows }])
  return [transpose(cut, [1, 0, 2, 3])]
}
