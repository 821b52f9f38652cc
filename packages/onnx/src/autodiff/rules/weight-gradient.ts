import { type SlidingWindow, tapSlices } from '../../analysis/shapes/convolution.ts'
import type { Value } from '../../ir/graph.ts'
import type { Lowering } from '../../ir/lowering.ts'
import { axisSize, spatialShape, staticShape } from '../../ir/value.ts'
import { elementCount, multiIndices } from '../../model/model.ts'
import { apply } from '../../ops/apply.ts'
import {
  concatAll,
  gemm,
  matMul,
  pad,
  reshape,
  slice,
  transpose,
  transposeMatrix,
} from '../../ops/builders.ts'
import { batchLast, canUnfold, unfold } from '../../ops/unfold.ts'

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
  /**
   * Patches and gradient have the batch last, so that one product sums over n and p. It copies its second
   * operand into blocks, so that with few outputs the patches come first.
   */
  im2col(inputs) {
    const { image, gradient, window, groups } = inputs
    const outputSpace = spatialShape(gradient)
    if (groups > 1 || !canUnfold(window, outputSpace)) return weightGradients.slices(inputs)
    const [batch = 1, outputs = 1] = staticShape(gradient)
    const rows = reshape(batchLast(gradient), [outputs, elementCount(outputSpace) * batch])
    const patches = unfold(image, window, outputSpace)
    const shape = [outputs, axisSize(image, 1), ...window.kernel]
    if (outputs >= fewOutputs) return reshape(gemm(rows, patches, { b: true }), shape)
    // A third axis, since ONNX Runtime exchanges the operands of a product that Transpose of a matrix follows.
    const product = reshape(gemm(patches, rows, { b: true }), [
      1,
      elementCount(shape) / outputs,
      outputs,
    ])
    return reshape(transpose(product, [0, 2, 1]), shape)
  },

  /** The shifted images are concatenated, so that one product sums over n and p for every k. */
  slices(inputs) {
    const { groups } = inputs
    const rows = gradientRows(inputs)
    const columns = concatAll(shiftedImages(inputs), 1)
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
    return asWeight(concatAll(products, 2), inputs)
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

/** From this number of outputs on, products by either order of operands take the same time. */
const fewOutputs = 128

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
