import type { Operation } from '../ir/operation.ts'
import { sizeOf, sizes } from '../ir/value.ts'
import type { Inference } from './inference.ts'
import { slide, space, spans, type Window, windowOf } from './window.ts'

/** The window of a Conv or ConvTranspose: its kernel is as large as its weight is. */
export const convolutionWindow = (operation: Operation): Window =>
  windowOf(operation, space(operation.input(1)))

const conv: Inference = (operation) => {
  const [x, w] = [operation.input(0), operation.input(1)]
  const [outputs = 0, perGroup = 0] = sizes(w)
  const groups = operation.int('group', 1)
  const channels = x.shape[1] ?? 0
  if (typeof channels === 'number' && channels !== perGroup * groups)
    throw operation.error(
      `the image must have ${perGroup} × ${groups} channels as the weight says, but has ${channels}`,
    )
  const image = slide(operation, convolutionWindow(operation))
  return [{ type: x.type, shape: [x.shape[0] ?? 1, outputs, ...image] }]
}

/** The lengths are stride·(size−1) + span − begin − end + output_padding. */
const convTranspose: Inference = (operation) => {
  if (operation.string('auto_pad', 'NOTSET') !== 'NOTSET' || operation.ints('output_shape'))
    throw operation.error('padding must be given by "pads", not by "auto_pad" or "output_shape"')
  const [x, w] = [operation.input(0), operation.input(1)]
  const window = convolutionWindow(operation)
  const extra = operation.ints('output_padding') ?? []
  const span = spans(window)
  const image = space(x).map(
    (size, axis) =>
      (window.strides[axis] ?? 1) * (size - 1) +
      (span[axis] ?? 1) -
      (window.begin[axis] ?? 0) -
      (window.end[axis] ?? 0) +
      (extra[axis] ?? 0),
  )
  const channels = sizeOf(w, 1) * operation.int('group', 1)
  return [{ type: x.type, shape: [x.shape[0] ?? 1, channels, ...image] }]
}

/** Convolutions. */
export const convolution: Readonly<Record<string, Inference>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
}
