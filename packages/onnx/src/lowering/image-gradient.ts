import type { Lowering } from '../ir/lowering.ts'
import { sizeOf, sizes, type Value } from '../ir/value.ts'
import { elementCount } from '../model/model.ts'
import { apply, reshape, reverse, transpose } from '../ops/operations.ts'
import { spans, type Window } from '../shapes/window.ts'

/** What the gradient of a convolution's image is computed from. */
export interface Transposed {
  readonly gradient: Value
  readonly weight: Value
  readonly window: Window
  readonly groups: number
  /** The lengths of the image's axes, batch and channels left out. */
  readonly space: readonly number[]
}

/** ∂x[n, c, q] = Σ ∂y[n, m, p] · w[m, c, k] over all p and k with stride·p + dilation·k − begin = q */
export const imageGradients: Readonly<
  Record<Lowering['imageGradient'], (transposed: Transposed) => Value>
> = {
  transposed: convolveTransposed,

  /** Turning a kernel costs as much as it is long, what it saves is in proportion to the image. */
  adaptive(transposed) {
    const { gradient, weight, groups, space } = transposed
    const image = sizeOf(gradient, 0) * groups * sizeOf(weight, 1) * elementCount(space)
    const small = 4 * elementCount(sizes(weight)) <= image
    return imageGradients[small ? 'flipped' : 'transposed'](transposed)
  },

  /** With stride 1, q − p runs over the kernel backwards: a convolution with the kernel turned around. */
  flipped(transposed) {
    const { gradient, weight, window, groups, space } = transposed
    if (window.strides.some((stride) => stride !== 1)) return convolveTransposed(transposed)
    const [outputs = 1, inputs = 1, ...kernel] = sizes(weight)
    const axes = kernel.map((_, axis) => axis)
    const grouped = reshape(weight, [groups, outputs / groups, inputs, ...kernel])
    const swapped = transpose(grouped, [0, 2, 1, ...axes.map((axis) => axis + 3)])
    const turned = axes.reduce(
      (value, axis) => reverse(value, axis + 2),
      reshape(swapped, [groups * inputs, outputs / groups, ...kernel]),
    )
    const points = sizes(gradient).slice(2)
    const begin = spans(window).map((span, axis) => span - 1 - (window.begin[axis] ?? 0))
    const end = axes.map((axis) => (space[axis] ?? 1) - (points[axis] ?? 1) - (begin[axis] ?? 0))
    const reach = spans(window).map((span) => span - 1)
    const pads = [...begin, ...end.map((amount, axis) => amount + (reach[axis] ?? 0))]
    // The runtime refuses a convolution that crops: padding wider than the kernel is left to the other form.
    if (pads.some((amount) => amount < 0)) return convolveTransposed(transposed)
    return apply('Conv', [gradient, turned], {
      kernel_shape: kernel,
      strides: window.strides,
      dilations: window.dilations,
      pads,
      group: groups,
    })
  },
}

/** The lengths that a stride left over at the end get output_padding. */
export function convolveTransposed(transposed: Transposed): Value {
  const { gradient, weight, window, groups, space } = transposed
  const points = sizes(gradient).slice(2)
  const beyond = spans(window).map((span, axis) => {
    const reached = (window.strides[axis] ?? 1) * ((points[axis] ?? 1) - 1) + span
    return reached - (window.begin[axis] ?? 0) - (space[axis] ?? 1)
  })
  return apply('ConvTranspose', [gradient, weight], {
    kernel_shape: window.kernel,
    strides: window.strides,
    dilations: window.dilations,
    pads: [...window.begin, ...beyond.map((amount) => Math.max(amount, 0))],
    output_padding: beyond.map((amount) => Math.max(-amount, 0)),
    group: groups,
  })
}
