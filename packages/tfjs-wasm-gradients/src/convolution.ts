import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import {
  Conv2DBackpropFilter,
  type Conv2DBackpropFilterAttrs,
  Conv2DBackpropInput,
  type Conv2DBackpropInputAttrs,
  DepthwiseConv2dNativeBackpropFilter,
  type DepthwiseConv2dNativeBackpropFilterAttrs,
  DepthwiseConv2dNativeBackpropInput,
  type DepthwiseConv2dNativeBackpropInputAttrs,
  type KernelConfig,
  type TensorInfo,
} from '@tensorflow/tfjs-core'
import { addressOf, float32View, wasmKernel, zeros } from './backend.ts'
import { type ConvolutionAttributes, convolutionGeometry, forEachRun } from './geometry.ts'
import { matrixProductsOf } from './matrix-products.ts'

/**
 * y[p, o] = Σₖ Σ꜀ x[stride·p + dilation·k − begin, c]·w[k, c, o], so
 *
 * ∂w[k, c, o] = Σₚ x[stride·p + dilation·k − begin, c]·∂y[p, o]
 *
 * For one tap k and one row of p, that is a product of two matrices as they are in memory, the first
 * of them transposed.
 */
export const conv2DBackpropFilter: KernelConfig = wasmKernel<
  'x' | 'dy',
  Conv2DBackpropFilterAttrs & ConvolutionAttributes
>(Conv2DBackpropFilter, ['x', 'dy'], ({ inputs: { x, dy }, attrs, backend }) => {
  const { filterShape } = attrs
  const geometry = convolutionGeometry(Conv2DBackpropFilter, x.shape, filterShape, dy, attrs, false)
  const { addMatrixProduct } = matrixProductsOf(backend)
  const dw = zeros(backend, filterShape)
  const [xAt, dyAt, dwAt] = [x, dy, dw].map((tensor) => addressOf(backend, tensor))
  const { inChannels, outChannels, strideWidth } = geometry
  const [xPixel, dyPixel] = [4 * inChannels, 4 * outChannels]
  const xStride = strideWidth * xPixel
  forEachRun(geometry, (tap, input, output, pixels) => {
    const c = dwAt + tap * inChannels * dyPixel
    const a = xAt + input * xPixel
    const b = dyAt + output * dyPixel
    addMatrixProduct(c, dyPixel, a, 4, xStride, b, dyPixel, inChannels, outChannels, pixels)
  })
  return dw
})

/**
 * y[p, o] = Σₖ Σ꜀ x[stride·p + dilation·k − begin, c]·w[k, c, o], so
 *
 * ∂x[stride·p + dilation·k − begin, c] = Σₖ Σₒ ∂y[p, o]·w[k, c, o]
 *
 * For one tap k and one row of p, that is a product of two matrices, added to every stride-th pixel.
 */
export const conv2DBackpropInput: KernelConfig = wasmKernel<
  'dy' | 'filter',
  Conv2DBackpropInputAttrs & ConvolutionAttributes
>(Conv2DBackpropInput, ['dy', 'filter'], ({ inputs: { dy, filter }, attrs, backend }) => {
  const { inputShape } = attrs
  const name = Conv2DBackpropInput
  const geometry = convolutionGeometry(name, inputShape, filter.shape, dy, attrs, false)
  const { addMatrixProduct } = matrixProductsOf(backend)
  const transposed = transposeChannels(backend, filter)
  const dx = zeros(backend, inputShape)
  const [dyAt, wAt, dxAt] = [dy, transposed, dx].map((tensor) => addressOf(backend, tensor))
  const { inChannels, outChannels, strideWidth } = geometry
  const [dxPixel, dyPixel] = [4 * inChannels, 4 * outChannels]
  const dxStride = strideWidth * dxPixel
  forEachRun(geometry, (tap, input, output, pixels) => {
    const c = dxAt + input * dxPixel
    const a = dyAt + output * dyPixel
    const b = wAt + tap * outChannels * dxPixel
    addMatrixProduct(c, dxStride, a, dyPixel, 4, b, dxPixel, pixels, inChannels, outChannels)
  })
  backend.disposeData(transposed.dataId)
  return dx
})

/** Transposes height × width × input × output into height × width × output × input. */
function transposeChannels(backend: BackendWasm, filter: TensorInfo): TensorInfo {
  const [height, width, inputs, outputs] = filter.shape
  const transposed = backend.makeOutput([height, width, outputs, inputs], 'float32')
  const [from, to] = [float32View(backend, filter), float32View(backend, transposed)]
  for (let tap = 0; tap < height * width; tap++) {
    const begin = tap * inputs * outputs
    for (let c = 0; c < inputs; c++) {
      for (let o = 0; o < outputs; o++) {
        to[begin + o * inputs + c] = from[begin + c * outputs + o]
      }
    }
  }
  return transposed
}

/**
 * y[p, c, m] = Σₖ x[stride·p + dilation·k − begin, c]·w[k, c, m], so
 *
 * ∂w[k, c, m] = Σₚ x[stride·p + dilation·k − begin, c]·∂y[p, c, m]
 */
export const depthwiseConv2dNativeBackpropFilter: KernelConfig = wasmKernel<
  'x' | 'dy',
  DepthwiseConv2dNativeBackpropFilterAttrs
>(DepthwiseConv2dNativeBackpropFilter, ['x', 'dy'], ({ inputs: { x, dy }, attrs, backend }) => {
  const { filterShape } = attrs
  const name = DepthwiseConv2dNativeBackpropFilter
  const geometry = convolutionGeometry(name, x.shape, filterShape, dy, attrs, true)
  const { addElementwiseProduct } = matrixProductsOf(backend)
  const repeated = repeatChannels(backend, x, filterShape[3])
  const dw = zeros(backend, filterShape)
  const [xAt, dyAt, dwAt] = [repeated, dy, dw].map((tensor) => addressOf(backend, tensor))
  const { outChannels, strideWidth } = geometry
  const pixel = 4 * outChannels
  forEachRun(geometry, (tap, input, output, pixels) => {
    const c = dwAt + tap * pixel
    const a = xAt + input * pixel
    const b = dyAt + output * pixel
    addElementwiseProduct(c, 0, a, strideWidth * pixel, b, pixel, outChannels, pixels)
  })
  if (repeated !== x) backend.disposeData(repeated.dataId)
  return dw
})

/**
 * y[p, c, m] = Σₖ x[stride·p + dilation·k − begin, c]·w[k, c, m], so
 *
 * ∂x[stride·p + dilation·k − begin, c] = Σₖ Σₘ ∂y[p, c, m]·w[k, c, m]
 */
export const depthwiseConv2dNativeBackpropInput: KernelConfig = wasmKernel<
  'dy' | 'filter',
  DepthwiseConv2dNativeBackpropInputAttrs
>(
  DepthwiseConv2dNativeBackpropInput,
  ['dy', 'filter'],
  ({ inputs: { dy, filter }, attrs, backend }) => {
    const { inputShape } = attrs
    const name = DepthwiseConv2dNativeBackpropInput
    const geometry = convolutionGeometry(name, inputShape, filter.shape, dy, attrs, true)
    const { addElementwiseProduct } = matrixProductsOf(backend)
    const { batchSize, inHeight, inWidth, outChannels, strideWidth } = geometry
    const terms = zeros(backend, [batchSize, inHeight, inWidth, outChannels])
    const [dyAt, wAt, termsAt] = [dy, filter, terms].map((tensor) => addressOf(backend, tensor))
    const pixel = 4 * outChannels
    forEachRun(geometry, (tap, input, output, pixels) => {
      const c = termsAt + input * pixel
      const a = dyAt + output * pixel
      const b = wAt + tap * pixel
      addElementwiseProduct(c, strideWidth * pixel, a, pixel, b, 0, outChannels, pixels)
    })
    const dx = sumChannels(backend, terms, filter.shape[3])
    if (dx !== terms) backend.disposeData(terms.dataId)
    return dx
  },
)

/** Repeats every channel `times` times in succession: … × C becomes … × C·times. Returns the image itself for 1. */
function repeatChannels(backend: BackendWasm, image: TensorInfo, times: number): TensorInfo {
  if (times === 1) return image
  const shape = image.shape.map((size, axis) => (axis === 3 ? size * times : size))
  const repeated = backend.makeOutput(shape, 'float32')
  const [from, to] = [float32View(backend, image), float32View(backend, repeated)]
  for (let i = 0; i < from.length; i++) to.fill(from[i], i * times, (i + 1) * times)
  return repeated
}

/** Sums groups of `times` successive channels: … × C·times becomes … × C. Returns the image itself for 1. */
function sumChannels(backend: BackendWasm, image: TensorInfo, times: number): TensorInfo {
  if (times === 1) return image
  const shape = image.shape.map((size, axis) => (axis === 3 ? size / times : size))
  const summed = backend.makeOutput(shape, 'float32')
  const [from, to] = [float32View(backend, image), float32View(backend, summed)]
  for (let i = 0; i < to.length; i++) {
    let sum = 0
    for (let m = 0; m < times; m++) sum += from[i * times + m]
    to[i] = sum
  }
  return summed
}
