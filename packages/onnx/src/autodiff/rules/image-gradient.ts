import { dilatedKernel, type SlidingWindow } from '../../analysis/shapes/convolution.ts'
import type { Value } from '../../ir/graph.ts'
import type { Lowering } from '../../ir/lowering.ts'
import { axisSize, spatialShape, staticShape } from '../../ir/value.ts'
import { elementCount } from '../../model/model.ts'
import { apply } from '../../ops/apply.ts'
import { reshape, reverse, transpose } from '../../ops/builders.ts'

/** The inputs of the gradient of a convolution's image. */
export interface ImageGradientInputs {
  readonly gradient: Value
  readonly weight: Value
  readonly window: SlidingWindow
  readonly groups: number
  /** The spatial lengths of the image. */
  readonly inputSpace: readonly number[]
}

/** ∂x[n, c, q] = Σ ∂y[n, m, p] · w[m, c, k] over all p and k with stride·p + dilation·k − begin = q */
export const imageGradients: Readonly<
  Record<Lowering['imageGradient'], (inputs: ImageGradientInputs) => Value>
> = {
  transposed: convolveTransposed,

  /** Flipping costs in proportion to the kernel, and saves in proportion to the image. */
  adaptive(inputs) {
    const { gradient, weight, groups, inputSpace } = inputs
    const image = axisSize(gradient, 0) * groups * axisSize(weight, 1) * elementCount(inputSpace)
    const isSmall = 4 * elementCount(staticShape(weight)) <= image
    return imageGradients[isSmall ? 'flipped' : 'transposed'](inputs)
  },

  /** With stride 1, q − p runs over the kernel backwards: a convolution with the flipped kernel. */
  flipped(inputs) {
    const { gradient, weight, window, groups, inputSpace } = inputs
    if (window.strides.some((stride) => stride !== 1)) return convolveTransposed(inputs)
    const [outputs = 1, channels = 1, ...kernel] = staticShape(weight)
    const axes = kernel.map((_, axis) => axis)
    const grouped = reshape(weight, [groups, outputs / groups, channels, ...kernel])
    const swapped = transpose(grouped, [0, 2, 1, ...axes.map((axis) => axis + 3)])
    const flipped = axes.reduce(
      (value, axis) => reverse(value, axis + 2),
      reshape(swapped, [groups * channels, outputs / groups, ...kernel]),
    )
    const outputSpace = spatialShape(gradient)
    const begin = dilatedKernel(window).map((span, axis) => span - 1 - (window.begin[axis] ?? 0))
    const end = axes.map(
      (axis) => (inputSpace[axis] ?? 1) - (outputSpace[axis] ?? 1) - (begin[axis] ?? 0),
    )
    const reach = dilatedKernel(window).map((span) => span - 1)
    const pads = [...begin, ...end.map((amount, axis) => amount + (reach[axis] ?? 0))]
    // ONNX Runtime rejects negative pads, which padding wider than the kernel would need.
    if (pads.some((amount) => amount < 0)) return convolveTransposed(inputs)
    return apply('Conv', [gradient, flipped], {
      kernel_shape: kernel,
      strides: window.strides,
      dilations: window.dilations,
      pads,
      group: groups,
    })
  },
}

/** Pixels at the end that the stride skipped get `output_padding`. */
export function convolveTransposed(inputs: ImageGradientInputs): Value {
  const { gradient, weight, window, groups, inputSpace } = inputs
  const outputSpace = spatialShape(gradient)
  const excess = dilatedKernel(window).map((span, axis) => {
    const covered = (window.strides[axis] ?? 1) * ((outputSpace[axis] ?? 1) - 1) + span
    return covered - (window.begin[axis] ?? 0) - (inputSpace[axis] ?? 1)
  })
  return apply('ConvTranspose', [gradient, weight], {
    kernel_shape: window.kernel,
    strides: window.strides,
    dilations: window.dilations,
    pads: [...window.begin, ...excess.map((amount) => Math.max(amount, 0))],
    output_padding: excess.map((amount) => Math.max(-amount, 0)),
    group: groups,
  })
}
