import type { SlidingWindow } from '../analysis/shapes/convolution.ts'
import type { Value } from '../ir/graph.ts'
import type { Lowering } from '../ir/lowering.ts'
import { staticShape } from '../ir/value.ts'
import { elementCount, multiIndices } from '../model/model.ts'
import { concat, filled, gather, reduceSum, reshape, transpose } from './builders.ts'

/** The most indices of patches in one constant: 8 MiB. */
const maxIndices = 2 ** 20

/** Whether the patches of one image have few enough elements per channel to be listed. */
export const canUnfold = ({ kernel }: SlidingWindow, outputSpace: readonly number[]): boolean =>
  elementCount(kernel) * elementCount(outputSpace) <= maxIndices

/** Whether a convolution with an output of this size is written as one matrix product of patches. */
export const isProduct = (
  { productUpTo }: Lowering,
  window: SlidingWindow,
  groups: number,
  outputSpace: readonly number[],
): boolean =>
  groups === 1 && elementCount(outputSpace) <= productUpTo && canUnfold(window, outputSpace)

/**
 * Images with the batch as the last axis: channels × pixels × batch. The patches of a convolution are
 * then runs of whole batches, and a matrix product needs no other order of its operands. It is one
 * transposition of a matrix, which ONNX Runtime spreads over all threads.
 */
export function batchLast(image: Value): Value {
  const [batch = 1, channels = 1, ...space] = staticShape(image)
  const pixels = elementCount(space)
  const matrix = reshape(image, [batch, channels * pixels])
  return reshape(transpose(matrix, [1, 0]), [channels, pixels, batch])
}

/** Images of the shape batch × channels × spatial axes from their `batchLast` elements. */
export function batchFirst(elements: Value, shape: readonly number[]): Value {
  const [batch = 1, ...rest] = shape
  return reshape(transpose(reshape(elements, [elementCount(rest), batch]), [1, 0]), shape)
}

/**
 * The patches under a kernel, as `torch.nn.Unfold` lists them, with the batch as the last axis:
 * (channels · kernel) × (output pixels · batch). Padding is a pixel of zeros.
 */
export function unfold(image: Value, window: SlidingWindow, outputSpace: readonly number[]): Value {
  const [batch = 1, channels = 1, ...space] = staticShape(image)
  const pixels = elementCount(space)
  const shape = [channels * elementCount(window.kernel), elementCount(outputSpace) * batch] as const
  const last = batchLast(image)
  const indices = patchPixels(window, space, outputSpace)
  if (indices.length === pixels && indices.every((pixel, i) => pixel === i))
    return reshape(last, shape)
  return reshape(gather(withZeros(last, indices.includes(pixels)), indices, 1), shape)
}

/**
 * The transpose of `unfold`: the sum of all patches at the pixels that they were taken from.
 *
 * @param patches - (channels · kernel) × (output pixels · batch).
 * @param shape - of the images: batch × channels × spatial axes.
 */
export function fold(
  patches: Value,
  window: SlidingWindow,
  outputSpace: readonly number[],
  shape: readonly number[],
): Value {
  const [batch = 1, channels = 1, ...space] = shape
  const pixels = elementCount(space)
  const elements = elementCount(window.kernel) * elementCount(outputSpace)
  const sources: number[][] = Array.from({ length: pixels }, () => [])
  for (const [element, pixel] of patchPixels(window, space, outputSpace).entries())
    sources[pixel]?.push(element)
  const most = Math.max(...sources.map(({ length }) => length))
  const indices = sources.flatMap((from) =>
    Array.from({ length: most }, (_, i) => from[i] ?? elements),
  )
  const listed = reshape(patches, [channels, elements, batch])
  const summands = gather(withZeros(listed, indices.includes(elements)), indices, 1)
  const sums =
    most === 1
      ? summands
      : reduceSum(reshape(summands, [channels * pixels, most, batch]), [1], 'drop')
  return batchFirst(sums, shape)
}

/** Appends an entry of zeros to the second of three axes, if it is needed. */
function withZeros(x: Value, needed: boolean): Value {
  const [channels = 1, , batch = 1] = staticShape(x)
  return needed ? concat([x, filled(x.graph, [channels, 1, batch])], 1) : x
}

/**
 * The flat index of the pixel under each kernel element at each output position, output positions
 * innermost; the number of pixels stands for the padding.
 */
function patchPixels(
  { kernel, strides, dilations, begin }: SlidingWindow,
  space: readonly number[],
  outputSpace: readonly number[],
): readonly number[] {
  const pixels = elementCount(space)
  const positions = multiIndices(outputSpace)
  const indices: number[] = []
  for (const tap of multiIndices(kernel))
    for (const position of positions) {
      let pixel = 0
      for (let axis = 0; axis < space.length; axis++) {
        const p = position[axis] ?? 0
        const k = tap[axis] ?? 0
        const size = space[axis] ?? 0
        const at = p * (strides[axis] ?? 1) + k * (dilations[axis] ?? 1) - (begin[axis] ?? 0)
        pixel = at < 0 || at >= size || pixel === pixels ? pixels : pixel * size + at
      }
      indices.push(pixel)
    }
  return indices
}
