import type { Operation } from '../../ir/graph.ts'
import { axisSize, spatialShape, staticShape } from '../../ir/value.ts'
import type { ShapeRule } from './shape-rule.ts'

/** How a kernel slides over the spatial axes of an image. Every list has one entry per axis. */
export interface SlidingWindow {
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  /** Padding before the first element. */
  readonly begin: readonly number[]
  /** Padding after the last element. */
  readonly end: readonly number[]
}

/** Reads the sliding window of an operation with the padding of `pads`. */
function explicitWindow(operation: Operation, kernel: readonly number[]): SlidingWindow {
  const image = spatialShape(operation.input(0))
  const ones = image.map(() => 1)
  const strides = operation.ints('strides') ?? ones
  const dilations = operation.ints('dilations') ?? ones
  const pads = operation.ints('pads') ?? image.flatMap(() => [0, 0])
  for (const [name, list, length] of [
    ['kernel', kernel, image.length],
    ['strides', strides, image.length],
    ['dilations', dilations, image.length],
    ['pads', pads, 2 * image.length],
  ] as const)
    if (list.length !== length)
      throw operation.error(`${name} must have ${length} entries, but has ${list.length}`)
  for (const [name, list] of Object.entries({ kernel, strides, dilations }))
    if (list.some((size) => size < 1))
      throw operation.error(`${name} must hold integers >= 1, but is [${list}]`)
  const [begin, end] = [pads.slice(0, image.length), pads.slice(image.length)]
  return { kernel, strides, dilations, begin, end }
}

/** Reads the sliding window of an operation. `auto_pad` is converted to pads. */
function slidingWindow(operation: Operation, kernel: readonly number[]): SlidingWindow {
  const window = explicitWindow(operation, kernel)
  const span = dilatedKernel(window)
  const total = spatialShape(operation.input(0)).map((size, axis) => {
    const stride = window.strides[axis] ?? 1
    return Math.max((Math.ceil(size / stride) - 1) * stride + (span[axis] ?? 1) - size, 0)
  })
  return { ...window, ...automaticPadding(operation, window, total) }
}

/** The padding before and after every axis, as `auto_pad` divides a total. */
function automaticPadding(
  operation: Operation,
  { begin, end }: SlidingWindow,
  total: readonly number[],
): Pick<SlidingWindow, 'begin' | 'end'> {
  const automatic = operation.string('auto_pad', 'NOTSET')
  const smaller = total.map((amount) => Math.floor(amount / 2))
  const larger = total.map((amount) => Math.ceil(amount / 2))
  switch (automatic) {
    case 'NOTSET':
      return { begin, end }
    case 'VALID':
      return { begin: total.map(() => 0), end: total.map(() => 0) }
    case 'SAME_UPPER':
      return { begin: smaller, end: larger }
    case 'SAME_LOWER':
      return { begin: larger, end: smaller }
    default:
      throw operation.error(`auto_pad "${automatic}" is not supported`)
  }
}

/** The lengths of the kernel with its dilation: d·(k−1) + 1. */
export const dilatedKernel = ({
  kernel,
  dilations,
}: Pick<SlidingWindow, 'kernel' | 'dilations'>): readonly number[] =>
  kernel.map((size, axis) => (dilations[axis] ?? 1) * (size - 1) + 1)

/** The spatial lengths of the result: ⌊(size + begin + end − span) / stride⌋ + 1, or ⌈…⌉ + 1. */
export function outputSizes(
  operation: Operation,
  window: SlidingWindow,
  round: 'down' | 'up' = 'down',
): readonly number[] {
  const span = dilatedKernel(window)
  return spatialShape(operation.input(0)).map((size, axis) => {
    const stride = window.strides[axis] ?? 1
    const begin = window.begin[axis] ?? 0
    const range = size + begin + (window.end[axis] ?? 0) - (span[axis] ?? 1)
    if (range < 0)
      throw operation.error(`a kernel of ${span[axis]} must fit into ${size} and its padding`)
    if (round === 'down') return Math.floor(range / stride) + 1
    const length = Math.ceil(range / stride) + 1
    // No window may begin in the padding at the end.
    return (length - 1) * stride >= size + begin ? length - 1 : length
  })
}

/**
 * The slices of a padded image that one kernel element is multiplied with, over all output positions.
 *
 * @param tap - the multi-index of the kernel element.
 */
export const tapSlices = (
  { strides, dilations }: SlidingWindow,
  tap: readonly number[],
  outputSpace: readonly number[],
): readonly { axis: number; start: number; end: number; step: number }[] =>
  tap.map((k, axis) => {
    const [step, start] = [strides[axis] ?? 1, k * (dilations[axis] ?? 1)]
    return { axis: axis + 2, start, end: start + ((outputSpace[axis] ?? 1) - 1) * step + 1, step }
  })

/** The window of a Conv: the kernel's lengths are those of the weight. */
export const convolutionWindow = (operation: Operation): SlidingWindow =>
  slidingWindow(operation, spatialShape(operation.input(1)))

/** The number of groups, which must divide the number of channels on the weight's side that is grouped. */
function groupsOf(operation: Operation, channels: number): number {
  const groups = operation.int('group', 1)
  if (groups < 1 || channels % groups !== 0)
    throw operation.error(`group must be a divisor of ${channels}, but is ${groups}`)
  return groups
}

const conv: ShapeRule = (operation) => {
  const [x, w] = [operation.input(0), operation.input(1)]
  const [outputs = 0, channelsPerGroup = 0] = staticShape(w)
  const groups = groupsOf(operation, outputs)
  const channels = x.shape[1] ?? 0
  if (typeof channels === 'number' && channels !== channelsPerGroup * groups)
    throw operation.error(
      `the image must have ${channelsPerGroup} × ${groups} channels to match the weight, but has ${channels}`,
    )
  const image = outputSizes(operation, convolutionWindow(operation))
  return [{ type: x.type, shape: [x.shape[0] ?? 1, outputs, ...image] }]
}

/** The window of a ConvTranspose, and the spatial lengths of its output. */
export interface TransposedWindow {
  readonly window: SlidingWindow
  readonly outputSpace: readonly number[]
}

/**
 * Reads the window of a ConvTranspose. The spatial lengths are stride·(size−1) + span + output_padding
 * − begin − end; where `output_shape` or `auto_pad` sets them, the padding is what is left.
 */
export function transposedWindow(operation: Operation): TransposedWindow {
  const window = explicitWindow(operation, spatialShape(operation.input(1)))
  const space = spatialShape(operation.input(0))
  const outputPadding = operation.ints('output_padding') ?? []
  const automatic = operation.string('auto_pad', 'NOTSET')
  const span = dilatedKernel(window)
  const unpadded = space.map(
    (size, axis) =>
      (window.strides[axis] ?? 1) * (size - 1) + (span[axis] ?? 1) + (outputPadding[axis] ?? 0),
  )
  // Some exporters list batch and channels, too.
  const wanted = operation.ints('output_shape')?.slice(-space.length)
  if (wanted && wanted.length !== space.length)
    throw operation.error(`output_shape must have ${space.length} entries, but is [${wanted}]`)
  const same = automatic.startsWith('SAME')
    ? space.map((size, axis) => size * (window.strides[axis] ?? 1))
    : undefined
  const target = wanted ?? same
  const total = unpadded.map((size, axis) => Math.max(size - (target?.[axis] ?? size), 0))
  const padding =
    wanted && !same
      ? {
          begin: total.map((amount) => Math.ceil(amount / 2)),
          end: total.map((amount) => Math.floor(amount / 2)),
        }
      : automaticPadding(operation, window, total)
  const padded = { ...window, ...padding }
  const outputSpace =
    wanted ??
    unpadded.map((size, axis) => size - (padded.begin[axis] ?? 0) - (padded.end[axis] ?? 0))
  return { window: padded, outputSpace }
}

const convTranspose: ShapeRule = (operation) => {
  const [x, w] = [operation.input(0), operation.input(1)]
  const channels = axisSize(w, 1) * groupsOf(operation, axisSize(w, 0))
  const inputs = x.shape[1]
  if (typeof inputs === 'number' && inputs !== axisSize(w, 0))
    throw operation.error(
      `the image must have ${axisSize(w, 0)} channels to match the weight, but has ${inputs}`,
    )
  const { outputSpace } = transposedWindow(operation)
  return [{ type: x.type, shape: [x.shape[0] ?? 1, channels, ...outputSpace] }]
}

/** The window of a pooling operation: the kernel's lengths are an attribute. */
export function poolingWindow(operation: Operation): SlidingWindow {
  const window = slidingWindow(operation, operation.ints('kernel_shape') ?? [])
  const isDilated = window.dilations.some(
    (dilation, axis) => dilation > 1 && window.kernel[axis] !== 1,
  )
  const automatic = operation.string('auto_pad', 'NOTSET')
  // ONNX Runtime pads as if the kernel were not dilated, and so returns other sizes than the standard.
  if (isDilated && automatic.startsWith('SAME'))
    throw operation.error(
      `auto_pad "${automatic}" with dilations [${window.dilations}] is not supported, as runtimes differ; write pads instead`,
    )
  return window
}

/** The spatial lengths of a pooling operation's result. */
export const pooledSizes = (operation: Operation, window: SlidingWindow): readonly number[] =>
  outputSizes(operation, window, operation.int('ceil_mode', 0) ? 'up' : 'down')

/** The spatial lengths before a MaxPool that a MaxUnpool inverts: stride·(size − 1) + kernel − begin − end. */
export function unpooledSizes(operation: Operation): readonly number[] {
  const { kernel, strides, begin, end } = explicitWindow(
    operation,
    operation.ints('kernel_shape') ?? [],
  )
  return spatialShape(operation.input(0)).map(
    (size, axis) =>
      (strides[axis] ?? 1) * (size - 1) +
      (kernel[axis] ?? 1) -
      (begin[axis] ?? 0) -
      (end[axis] ?? 0),
  )
}

/** MaxPool has an optional second output: the flat index of each maximum. */
const pool: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  const pooled = [...shape.slice(0, 2), ...pooledSizes(operation, poolingWindow(operation))]
  return [
    { type, shape: pooled },
    ...(operation.operator === 'MaxPool' ? [{ type: 'int64', shape: pooled } as const] : []),
  ]
}

const globalPool: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  return [{ type, shape: shape.map((size, axis) => (axis < 2 ? size : 1)) }]
}

/** Shapes of convolutions and pooling. */
export const convolutionShapes: Readonly<Record<string, ShapeRule>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  AveragePool: pool,
  MaxPool: pool,
  LpPool: pool,
  GlobalAveragePool: globalPool,
  GlobalLpPool: globalPool,
  GlobalMaxPool: globalPool,
}
