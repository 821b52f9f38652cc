import { type SlidingWindow, tapSlices } from '../../analysis/shapes/convolution.ts'
import type { Value } from '../../ir/graph.ts'
import type { Lowering } from '../../ir/lowering.ts'
import { axisSize, spatialShape, staticShape } from '../../ir/value.ts'
import { OnnxError } from '../../model/error.ts'
import { elementCount, multiIndices } from '../../model/model.ts'
import { apply } from '../../ops/apply.ts'
import {
  concat,
  filled,
  gather,
  gemm,
  matMul,
  pad,
  reshape,
  slice,
  transpose,
  transposeMatrix,
} from '../../ops/builders.ts'

/** The most indices of patches that `im2col` stores: 8 MiB. Larger images are sliced. */
const maxIndices = 2 ** 20

/** The inputs of the gradient of a convolution's weight. */
export interface WeightGradientInputs {
  /** The convolved image: batch × channels × spatial axes. */
  readonly image: Value
  /** The gradient of the convolution's output. */
  readonly gradient: Value
  readonly window: SlidingWindow
  readonly groups: number
}

/**
 * The gradient of a convolution's weight, for output m, input c and kernel element k:
 * ∂w[m, c, k] = Σₙₚ ∂y[n, m, p] · x[n, c, stride·p + dilation·k − begin]
 */
export const weightGradients: Readonly<
  Record<Lowering['weightGradient'], (inputs: WeightGradientInputs) => Value>
> = {
  /** Patches are rows, one per n and p, which one product sums. */
  im2col(inputs) {
    const { image, gradient, window, groups } = inputs
    const taps = elementCount(window.kernel)
    const isHuge = taps * elementCount(spatialShape(gradient)) > maxIndices
    if (groups > 1 || taps === 1 || isHuge) return weightGradients.slices(inputs)
    const rows = gradientRows(inputs)
    const patches = im2col(image, window, spatialShape(gradient))
    return asWeight(gemm(reshape(rows, staticShape(rows).slice(1)), patches), inputs)
  },

  /** The shifted images are concatenated, so that one product sums over n and p for every k. */
  slices(inputs) {
    const { groups } = inputs
    const rows = gradientRows(inputs)
    const columns = concatenated(shiftedImages(inputs), 1)
    const flat = staticShape(columns)
    const product =
      groups === 1
        ? gemm(reshape(rows, staticShape(rows).slice(1)), reshape(columns, flat.slice(1)), {
            b: true,
          })
        : matMul(rows, transposeMatrix(columns))
    return asWeight(product, inputs)
  },

  /** One product per kernel element k. */
  taps(inputs) {
    const rows = gradientRows(inputs)
    const products = shiftedImages(inputs).map((image) => matMul(rows, transposeMatrix(image)))
    return asWeight(concatenated(products, 2), inputs)
  },

  /** A convolution over n, with stride and dilation exchanged. */
  convolution({ image, gradient, window, groups }) {
    const [batch = 1, channels = 1, ...space] = staticShape(image)
    const [, outputs = 1, ...outputSpace] = staticShape(gradient)
    const perGroup = channels / groups
    const grouped = transpose(reshape(image, [batch, groups, perGroup, ...space]), [
      ...[2, 1, 0],
      ...space.map((_, axis) => axis + 3),
    ])
    const swapped = [1, 0, ...space.map((_, axis) => axis + 2)]
    const wide = apply(
      'Conv',
      [reshape(grouped, [perGroup, groups * batch, ...space]), transpose(gradient, swapped)],
      {
        kernel_shape: outputSpace,
        strides: window.dilations,
        dilations: window.strides,
        pads: [...window.begin, ...window.end],
        group: groups,
      },
    )
    const exact = slice(
      wide,
      window.kernel.map((end, axis) => ({ axis: axis + 2, start: 0, end })),
    )
    return reshape(transpose(exact, swapped), [outputs, perGroup, ...window.kernel])
  },
}

const concatenated = (values: readonly Value[], axis: number): Value => {
  const [first, ...rest] = values
  if (first === undefined) throw new OnnxError('convolution: its kernel must have elements')
  return rest.length === 0 ? first : concat([first, ...rest], axis)
}

/** ∂y as groups × outputs × (batch · output pixels). */
function gradientRows({ gradient, groups }: WeightGradientInputs): Value {
  const [batch = 1, outputs = 1, ...outputSpace] = staticShape(gradient)
  const axes = outputSpace.map((_, axis) => axis + 2)
  return reshape(transpose(gradient, [1, 0, ...axes]), [
    groups,
    outputs / groups,
    batch * elementCount(outputSpace),
  ])
}

/** For every kernel element, the pixels that it multiplies: groups × channels × (batch · output pixels). */
function shiftedImages({
  image,
  gradient,
  window,
  groups,
}: WeightGradientInputs): readonly Value[] {
  const [batch = 1, channels = 1, ...space] = staticShape(image)
  const outputSpace = spatialShape(gradient)
  const axes = space.map((_, axis) => axis + 2)
  const padded = pad(image, [0, 0, ...window.begin], [0, 0, ...window.end])
  const swapped = transpose(padded, [1, 0, ...axes])
  const paddedSpace = spatialShape(swapped)
  return multiIndices(window.kernel).map((tap) => {
    const slices = tapSlices(window, tap, outputSpace)
    const isWhole = slices.every(
      ({ start, end, step }, axis) => start === 0 && step === 1 && end === paddedSpace[axis],
    )
    return reshape(isWhole ? swapped : slice(swapped, slices), [
      groups,
      channels / groups,
      batch * elementCount(outputSpace),
    ])
  })
}

/** From outputs × (kernel · channels) to outputs × channels × kernel. */
function asWeight(
  product: Value,
  { image, gradient, window, groups }: WeightGradientInputs,
): Value {
  const perGroup = axisSize(image, 1) / groups
  const outputs = axisSize(gradient, 1)
  const axes = window.kernel.map((_, axis) => axis + 1)
  return transpose(reshape(product, [outputs, ...window.kernel, perGroup]), [
    0,
    axes.length + 1,
    ...axes,
  ])
}

/**
 * The image patches under the kernel: (batch · output pixels) × (kernel · channels). Channels are
 * contiguous, so that one Gather copies whole runs. Padding is a row of zeros.
 */
function im2col(image: Value, window: SlidingWindow, outputSpace: readonly number[]): Value {
  const [batch = 1, channels = 1, ...space] = staticShape(image)
  const pixels = elementCount(space)
  const rows = transpose(reshape(image, [batch, channels, pixels]), [0, 2, 1])
  const indices = patchPixels(window, space, outputSpace)
  const zeros = filled(image.graph, [batch, 1, channels])
  const padded = indices.includes(pixels) ? concat([rows, zeros], 1) : rows
  return reshape(gather(padded, indices, 1), [
    batch * elementCount(outputSpace),
    elementCount(window.kernel) * channels,
  ])
}

/**
 * The flat index of the pixel under each kernel element at each output position, kernel elements
 * innermost; the number of pixels stands for the padding.
 */
function patchPixels(
  { kernel, strides, dilations, begin }: SlidingWindow,
  space: readonly number[],
  outputSpace: readonly number[],
): readonly number[] {
  const pixels = elementCount(space)
  const taps = multiIndices(kernel)
  const indices: number[] = []
  for (const position of multiIndices(outputSpace))
    for (const tap of taps) {
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
