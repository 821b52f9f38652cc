import { backend_util, type MaxPoolGradAttrs, type TensorInfo } from '@tensorflow/tfjs-core'

type Shape = [number, number, number, number]

/** What a kernel is told about a convolution. */
export interface Convolution {
  readonly strides: [number, number] | number
  readonly pad: 'valid' | 'same' | number | backend_util.ExplicitPadding
  readonly dilations?: [number, number] | number
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil'
  readonly dataFormat?: 'NHWC' | 'NCHW'
}

/** A convolution with all its sizes. */
export type Window = backend_util.Conv2DInfo

/**
 * The window of a convolution of images, batch × height × width × channels.
 * @throws Error naming the kernel, for what it cannot do and for shapes that do not fit together.
 */
export function windowOf(
  kernelName: string,
  inputShape: readonly number[],
  filterShape: readonly number[],
  dy: TensorInfo,
  convolution: Convolution,
  depthwise: boolean,
): Window {
  const { strides, pad, dilations = 1, dimRoundingMode, dataFormat = 'NHWC' } = convolution
  check(kernelName, 'dataFormat', 'NHWC', dataFormat)
  const info = backend_util.computeConv2DInfo(
    four(kernelName, 'the input', inputShape),
    four(kernelName, 'the filter', filterShape),
    strides,
    dilations,
    pad,
    dimRoundingMode,
    depthwise,
  )
  check(kernelName, 'the number of channels of the input', filterShape[2], info.inChannels)
  return withOutput(kernelName, info, dy)
}

/**
 * The window of a max pooling, likewise.
 * @throws Error naming the kernel, for shapes that do not fit together.
 */
export function poolingOf(
  kernelName: string,
  inputShape: readonly number[],
  dy: TensorInfo,
  { filterSize, strides, pad, dimRoundingMode }: MaxPoolGradAttrs,
): Window {
  const image = four(kernelName, 'the input', inputShape)
  const info = backend_util.computePool2DInfo(image, filterSize, strides, 1, pad, dimRoundingMode)
  return withOutput(kernelName, info, dy)
}

/** The gradients of tfjs-core forget how sizes were rounded, so those of dy count. */
function withOutput(kernelName: string, window: Window, dy: TensorInfo): Window {
  const [batch, outHeight, outWidth, channels] = four(kernelName, 'dy', dy.shape)
  check(kernelName, 'the batch of dy', window.batchSize, batch)
  check(kernelName, 'the number of channels of dy', window.outChannels, channels)
  return { ...window, outHeight, outWidth }
}

/** The shape of an image or a filter. */
function four(kernelName: string, what: string, shape: readonly number[]): Shape {
  check(kernelName, `the rank of ${what}`, 4, shape.length)
  const [a, b, c, d] = shape
  return [a, b, c, d]
}

function check(kernelName: string, what: string, wanted: unknown, given: unknown): void {
  if (given === wanted) return
  throw new Error(`${kernelName} on wasm: ${what} must be ${wanted}, but is ${given}`)
}

/**
 * What one place of the filter, the tap, lays on neighbours in a line of the output.
 * @param tap - its index in the filter, of height × width.
 * @param input - the first pixel of the input, in the whole batch; the others are a stride apart.
 * @param output - the first pixel of the output, in the whole batch; the others follow it.
 */
type VisitRun = (tap: number, input: number, output: number, pixels: number) => void

/** Visits all pairs of pixels that a convolution multiplies, in runs; padding is left out. */
export function eachRun(window: Window, visit: VisitRun): void {
  const { batchSize, inHeight, inWidth, outHeight, outWidth, filterHeight, filterWidth } = window
  const { strideHeight, strideWidth, dilationHeight, dilationWidth, padInfo } = window
  for (let image = 0; image < batchSize; image++) {
    for (let y = 0; y < outHeight; y++) {
      for (let i = 0; i < filterHeight; i++) {
        const line = y * strideHeight + i * dilationHeight - padInfo.top
        if (line < 0 || line >= inHeight) continue
        for (let j = 0; j < filterWidth; j++) {
          const shift = j * dilationWidth - padInfo.left
          const first = Math.max(0, Math.ceil(-shift / strideWidth))
          const end = Math.min(outWidth, Math.floor((inWidth - 1 - shift) / strideWidth) + 1)
          if (end <= first) continue
          const input = (image * inHeight + line) * inWidth + first * strideWidth + shift
          const output = (image * outHeight + y) * outWidth + first
          visit(i * filterWidth + j, input, output, end - first)
        }
      }
    }
  }
}
