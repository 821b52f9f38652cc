import type { SlidingWindow } from '../analysis/shapes/convolution.ts'
import type { Value } from '../ir/graph.ts'
import type { Lowering } from '../ir/lowering.ts'
import { staticShape } from '../ir/value.ts'
import { type Attribute, elementCount, type Model } from '../model/model.ts'
import { applyOperator } from './apply.ts'
import { gather, reshape, transpose } from './builders.ts'

/**
 * The domain of ONNX Runtime's operators on blocked layouts. Its CPU provider has them for its own graph
 * optimizer, which applies them only to constant weights. An image of channels × height × width is
 * stored as blocks × height × width × channels of the block.
 */
const domain = 'com.microsoft.nchwc'

/** Whether the blocked layout can hold a convolution, apart from its numbers of channels. */
export const isBlockable = (
  { channelBlock }: Lowering,
  { kernel, dilations, begin, end }: SlidingWindow,
  groups: number,
): boolean =>
  channelBlock > 0 &&
  groups === 1 &&
  kernel.length === 2 &&
  dilations.every((dilation) => dilation === 1) &&
  [...begin, ...end].every((amount) => amount >= 0)

/** Appends a blocked operator. Shapes are those of the layout batch × channels × height × width. */
const applyBlocked = (
  operator: string,
  inputs: readonly [Value, ...Value[]],
  shape: readonly number[],
  attributes: Readonly<Record<string, Attribute>> = {},
): Value =>
  applyOperator(inputs[0].graph, operator, inputs, {
    domain,
    attributes: new Map(Object.entries(attributes)),
    declaredTypes: [{ type: 'float32', shape }],
  }).output()

/** An image in blocked layout. */
export const toBlocked = (image: Value): Value =>
  applyBlocked('ReorderInput', [image], staticShape(image))

/** An image from its blocked layout. */
export const fromBlocked = (image: Value): Value => {
  const shape = staticShape(image)
  return applyBlocked('ReorderOutput', [image], shape, { channels: shape[1] ?? 1 })
}

/** The window of a blocked convolution: two entries per list, four pads. */
export interface BlockedWindow {
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly pads: readonly number[]
}

/**
 * A convolution in blocked layout.
 *
 * @param image - blocked, or plain with fewer channels than a block.
 * @param weight - as `blockedWeight` or `blockedFlippedWeight` lays it out.
 * @param outputSpace - height and width of the result.
 */
export function convolveBlocked(
  image: Value,
  weight: Value,
  { kernel, strides, pads }: BlockedWindow,
  outputSpace: readonly number[],
  bias?: Value,
): Value {
  const [batch = 1] = staticShape(image)
  const [outputs = 1] = staticShape(weight)
  const inputs = bias ? ([image, weight, bias] as const) : ([image, weight] as const)
  return applyBlocked('Conv', inputs, [batch, outputs, ...outputSpace], {
    kernel_shape: kernel,
    strides,
    pads,
  })
}

/**
 * The weight outputs × channels × kernel as (output blocks × channel blocks × kernel × channels of the
 * block × outputs of the block); fewer channels than a block are not blocked. It is one transposition
 * of a matrix and one Gather of rows: ONNX Runtime is many times slower at transposing more axes.
 */
export function blockedWeight(weight: Value, block: number): Value {
  const [outputs = 1, channels = 1, ...kernel] = staticShape(weight)
  const taps = elementCount(kernel)
  const inner = channels < block ? 1 : block
  const elements: number[] = []
  for (let c = 0; c < channels; c += inner)
    for (let tap = 0; tap < taps; tap++)
      for (let i = 0; i < inner; i++) elements.push((c + i) * taps + tap)
  const outputBlocks = outputs / block
  const rows = Array.from({ length: outputBlocks }, (_, o) =>
    elements.map((element) => element * outputBlocks + o),
  ).flat()
  const matrix = transpose(reshape(weight, [outputs, channels * taps]), [1, 0])
  return reshape(gather(reshape(matrix, [-1, block]), rows, 0), [outputs, channels, ...kernel])
}

/**
 * Some kernel elements of a weight, with outputs and channels exchanged, in the layout of
 * `blockedWeight`: the weight of the convolution that computes an image's gradient.
 *
 * @param taps - flat indices of the kernel elements, in the order of the new kernel.
 */
export function blockedFlippedWeight(
  weight: Value,
  block: number,
  taps: readonly number[],
  kernel: readonly number[],
): Value {
  const [outputs = 1, channels = 1, ...space] = staticShape(weight)
  const elements = elementCount(space)
  const channelBlocks = channels / block
  const rows: number[] = []
  // Rows of one block of channels, for each kernel element and output.
  for (let c = 0; c < channelBlocks; c++)
    for (let o = 0; o < outputs; o += block)
      for (const tap of taps)
        for (let i = 0; i < block; i++) rows.push((tap * outputs + o + i) * channelBlocks + c)
  const matrix = transpose(reshape(weight, [outputs * channels, elements]), [1, 0])
  return reshape(gather(reshape(matrix, [-1, block]), rows, 0), [channels, outputs, ...kernel])
}

/**
 * A model that shows the block size of a runtime: it blocks a channel-first list of two pixels, so that
 * the second element lands behind one block. Sessions of runtimes without the blocked layout fail.
 */
export const channelBlockProbe: Model = {
  name: 'channel-block',
  inputs: [{ name: 'x', type: 'float32', shape: [1, 64, 1, 2] }],
  outputs: [{ name: 'y', type: 'float32', shape: [1, 64, 1, 2] }],
  nodes: [
    {
      operator: 'ReorderInput',
      domain,
      name: 'reorder',
      inputs: ['x'],
      outputs: ['y'],
      attributes: new Map(),
    },
  ],
  initializers: new Map(),
  values: new Map(),
  domains: new Map([[domain, 1]]),
}
