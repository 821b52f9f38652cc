import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import {
  Conv2DBackpropInput,
  type Conv2DBackpropInputAttrs,
  type KernelConfig,
  type TensorInfo,
} from '@tensorflow/tfjs-core'
import { wasmKernel } from './kernel.ts'
import { addressOf, floatsOf, zeros } from './memory.ts'
import { productsOf } from './products.ts'
import { type Convolution, eachRun, windowOf } from './window.ts'

/**
 * y[p, o] = Σₖ Σ꜀ x[stride·p + dilation·k − begin, c]·w[k, c, o], so
 *
 * ∂x[stride·p + dilation·k − begin, c] = Σₖ Σₒ ∂y[p, o]·w[k, c, o]
 *
 * For one tap k and one line of p, that is a product of two matrices, added to every stride-th pixel.
 */
export const conv2DBackpropInput: KernelConfig = wasmKernel<
  'dy' | 'filter',
  Conv2DBackpropInputAttrs & Convolution
>(Conv2DBackpropInput, ['dy', 'filter'], ({ inputs: { dy, filter }, attrs, backend }) => {
  const { inputShape } = attrs
  const window = windowOf(Conv2DBackpropInput, inputShape, filter.shape, dy, attrs, false)
  const { matrices } = productsOf(backend)
  const turned = transposed(backend, filter)
  const dx = zeros(backend, inputShape)
  const [dyAt, wAt, dxAt] = [dy, turned, dx].map((tensor) => addressOf(backend, tensor))
  const { inChannels, outChannels, strideWidth } = window
  const [dxPixel, dyPixel] = [4 * inChannels, 4 * outChannels]
  eachRun(window, (tap, input, output, pixels) => {
    const c = dxAt + input * dxPixel
    const a = dyAt + output * dyPixel
    const b = wAt + tap * outChannels * dxPixel
    matrices(c, strideWidth * dxPixel, a, dyPixel, 4, b, dxPixel, pixels, inChannels, outChannels)
  })
  backend.disposeData(turned.dataId)
  return dx
})

/** A filter with its channels the other way round: height × width × output × input. */
function transposed(backend: BackendWasm, filter: TensorInfo): TensorInfo {
  const [height, width, inputs, outputs] = filter.shape
  const turned = backend.makeOutput([height, width, outputs, inputs], 'float32')
  const [from, to] = [floatsOf(backend, filter), floatsOf(backend, turned)]
  for (let tap = 0; tap < height * width; tap++) {
    const begin = tap * inputs * outputs
    for (let c = 0; c < inputs; c++) {
      for (let o = 0; o < outputs; o++) {
        to[begin + o * inputs + c] = from[begin + c * outputs + o]
      }
    }
  }
  return turned
}
