import { dilatedKernel, type SlidingWindow } from '../../analysis/shapes/convolution.ts'
import type { Value } from '../../ir/graph.ts'
import type { Lowering } from '../../ir/lowering.ts'
import { axisSize, spatialShape, staticShape } from '../../ir/value.ts'
import { elementCount } from '../../model/model.ts'
import { apply } from '../../ops/apply.ts'
import {
  blockedFlippedWeight,
  convolveBlocked,
  fromBlocked,
  isBlockable,
  toBlocked,
} from '../../ops/blocked.ts'
import { concatAll, gemm, reshape, reverse, transpose } from '../../ops/builders.ts'
import { batchLast, fold, isProduct } from '../../ops/unfold.ts'

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
    const special = productGradient(inputs) ?? blockedGradient(inputs)
    if (special) return special
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

/** wᵀ · ∂y is the gradient of all patches under the kernel, if the images are small enough for that form. */
function productGradient(inputs: ImageGradientInputs): Value | undefined {
  const { gradient, weight, window, groups, inputSpace } = inputs
  const [batch = 1, outputs = 1, ...outputSpace] = staticShape(gradient)
  if (!isProduct(gradient.graph.lowering, window, groups, outputSpace)) return
  const channels = axisSize(weight, 1)
  const matrix = reshape(weight, [outputs, channels * elementCount(window.kernel)])
  const rows = reshape(batchLast(gradient), [outputs, elementCount(outputSpace) * batch])
  const patches = gemm(matrix, rows, { a: true })
  return fold(patches, window, outputSpace, [batch, channels, ...inputSpace])
}

/**
 * Convolutions in blocked layout. With stride s, the pixels q = s·u + a of each remainder a are the result
 * of a convolution of their own, by the kernel elements k with k ≡ a + begin (mod s), in falling order.
 */
function blockedGradient(inputs: ImageGradientInputs): Value | undefined {
  const { gradient, weight, window, groups, inputSpace } = inputs
  const { lowering } = gradient.graph
  const block = lowering.channelBlock
  const [batch = 1, outputs = 1] = staticShape(gradient)
  const channels = axisSize(weight, 1)
  if (!isBlockable(lowering, window, groups) || outputs % block || channels % block) return
  const [rows, columns] = [phasesOf(inputs, 0), phasesOf(inputs, 1)]
  if (!rows || !columns) return
  const [height = 1, width = 1] = inputSpace
  const space = [height / rows.length, width / columns.length]
  const blocked = toBlocked(gradient)
  const convolvePhase = (row: Phase, column: Phase): Value => {
    const kernel = [row.taps.length, column.taps.length]
    const taps = row.taps.flatMap((k) => column.taps.map((l) => k * (window.kernel[1] ?? 1) + l))
    const flipped = blockedFlippedWeight(weight, block, taps, kernel)
    const pads = [row.begin, column.begin, row.end, column.end]
    const pixels = convolveBlocked(blocked, flipped, { kernel, strides: [1, 1], pads }, space)
    return reshape(pixels, [(batch * channels) / block, space[0] ?? 1, 1, space[1] ?? 1, 1, block])
  }
  const interleaved = concatAll(
    rows.map((row) =>
      concatAll(
        columns.map((column) => convolvePhase(row, column)),
        4,
      ),
    ),
    2,
  )
  return fromBlocked(reshape(interleaved, [batch, channels, height, width]))
}

/** The convolution of ∂y that gives the pixels of one remainder along one axis. */
interface Phase {
  /** Indices of the kernel's elements, in falling order. */
  readonly taps: readonly number[]
  readonly begin: number
  readonly end: number
}

/** One phase for each remainder; undefined if one has no elements, or would need negative padding. */
function phasesOf(
  { gradient, window, inputSpace }: ImageGradientInputs,
  axis: number,
): readonly Phase[] | undefined {
  const [kernel = 1, stride = 1] = [window.kernel[axis], window.strides[axis]]
  const [begin = 0, size = 1] = [window.begin[axis], inputSpace[axis]]
  const outputSize = spatialShape(gradient)[axis] ?? 1
  if (size % stride !== 0) return
  const phases = Array.from({ length: stride }, (_, remainder): Phase => {
    const taps = Array.from({ length: kernel }, (_, k) => kernel - 1 - k).filter(
      (k) => (remainder + begin - k) % stride === 0,
    )
    // Pixel u of the phase sums w[k] · ∂y[u + (remainder + begin − k) / s].
    const offset = (k = 0): number => (remainder + begin - k) / stride
    const last = size / stride - 1 + offset(taps.at(-1))
    return { taps, begin: -offset(taps[0]), end: last - (outputSize - 1) }
  })
  return phases.every(({ taps, begin, end }) => taps.length > 0 && begin >= 0 && end >= 0)
    ? phases
    : undefined
}
