import { backend_util, type MaxPoolGradAttrs, type TensorInfo } from '@tensorflow/tfjs-core'

type Shape4D = [number, number, number, number]

/** The attributes of a convolution operation. */
export interface ConvolutionAttributes {
  readonly strides: [number, number] | number
  readonly pad: 'valid' | 'same' | number | backend_util.ExplicitPadding
  readonly dilations?: [number, number] | number
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil'
  readonly dataFormat?: 'NHWC' | 'NCHW'
}

/** All sizes of a convolution or pooling: images, filter, strides, dilations and padding. */
export type Geometry = backend_util.Conv2DInfo

/**
 * The geometry of a convolution of images of batch × height × width × channels.
 *
 * @throws Error naming the kernel, if the data format is not NHWC or the shapes do not fit together.
 */
export function convolutionGeometry(
  kernelName: string,
  inputShape: readonly number[],
  filterShape: readonly number[],
  dy: TensorInfo,
  attributes: ConvolutionAttributes,
  depthwise: boolean,
): Geometry {
  const { strides, pad, dilations = 1, dimRoundingMode, dataFormat = 'NHWC' } = attributes
  expectEqual(kernelName, 'dataFormat', 'NHWC', dataFormat)
  const info = backend_util.computeConv2DInfo(
    shape4D(kernelName, 'the input', inputShape),
    shape4D(kernelName, 'the filter', filterShape),
    strides,
    dilations,
    pad,
    dimRoundingMode,
    depthwise,
  )
  expectEqual(kernelName, 'the number of channels of the input', filterShape[2], info.inChannels)
  return withOutputSize(kernelName, info, dy)
}

/**
 * The geometry of a max pooling of images of batch × height × width × channels.
 *
 * @throws Error naming the kernel, if the shapes do not fit together.
 */
export function poolingGeometry(
  kernelName: string,
  inputShape: readonly number[],
  dy: TensorInfo,
  { filterSize, strides, pad, dimRoundingMode }: MaxPoolGradAttrs,
): Geometry {
  const image = shape4D(kernelName, 'the input', inputShape)
  const info = backend_util.computePool2DInfo(image, filterSize, strides, 1, pad, dimRoundingMode)
  return withOutputSize(kernelName, info, dy)
}

/** Takes the output size from dy: the gradients of tfjs-core do not pass `dimRoundingMode` on. */
function withOutputSize(kernelName: string, geometry: Geometry, dy: TensorInfo): Geometry {
  const [batch, outHeight, outWidth, channels] = shape4D(kernelName, 'dy', dy.shape)
  expectEqual(kernelName, 'the batch of dy', geometry.batchSize, batch)
  expectEqual(kernelName, 'the number of channels of dy', geometry.outChannels, channels)
  return { ...geometry, outHeight, outWidth }
}

function shape4D(kernelName: string, what: string, shape: readonly number[]): Shape4D {
  expectEqual(kernelName, `the rank of ${what}`, 4, shape.length)
  const [a, b, c, d] = shape
  return [a, b, c, d]
}

function expectEqual(kernelName: string, what: string, expected: unknown, actual: unknown): void {
  if (actual === expected) return
  throw new Error(`${kernelName} on wasm: ${what} must be ${expected}, but is ${actual}`)
}

/**
 * Receives a run of pixel pairs: one filter tap on consecutive pixels of one output row.
 *
 * @param tap - the index of the tap in the filter, of height × width.
 * @param input - the index of the first input pixel in the whole batch; the next ones are a stride apart.
 * @param output - the index of the first output pixel in the whole batch; the next ones follow it.
 */
type VisitRun = (tap: number, input: number, output: number, pixels: number) => void

/** Visits all pairs of an input and an output pixel that one filter tap connects, in runs; omits padding. */
export function forEachRun(geometry: Geometry, visit: VisitRun): void {
  const { batchSize, inHeight, inWidth, outHeight, outWidth, filterHeight, filterWidth } = geometry
  const { strideHeight, strideWidth, dilationHeight, dilationWidth, padInfo } = geometry
  for (let image = 0; image < batchSize; image++) {
    for (let y = 0; y < outHeight; y++) {
      for (let i = 0; i < filterHeight; i++) {
        const row = y * strideHeight + i * dilationHeight - padInfo.top
        if (row < 0 || row >= inHeight) continue
        for (let j = 0; j < filterWidth; j++) {
          const shift = j * dilationWidth - padInfo.left
          const first = Math.max(0, Math.ceil(-shift / strideWidth))
          const end = Math.min(outWidth, Math.floor((inWidth - 1 - shift) / strideWidth) + 1)
          if (end <= first) continue
          const input = (image * inHeight + row) * inWidth + first * strideWidth + shift
          const output = (image * outHeight + y) * outWidth + first
          visit(i * filterWidth + j, input, output, end - first)
        }
      }
    }
  }
}
