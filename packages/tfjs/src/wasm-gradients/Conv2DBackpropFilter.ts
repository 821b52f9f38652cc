import {
  Conv2DBackpropFilter,
  type Conv2DBackpropFilterAttrs,
  type KernelConfig,
} from '@tensorflow/tfjs-core'
import { wasmKernel } from './kernel.ts'
import { addressOf, zeros } from './memory.ts'
import { productsOf } from './products.ts'
import { type Convolution, eachRun, windowOf } from './window.ts'

/**
 * y[p, o] = Σₖ Σ꜀ x[stride·p + dilation·k − begin, c]·w[k, c, o], so
 *
 * ∂w[k, c, o] = Σₚ x[stride·p + dilation·k − begin, c]·∂y[p, o]
 *
 * For one tap k and one line of p, that is a product of two matrices as they lie in memory, the
 * first of them transposed.
 */
export const conv2DBackpropFilter: KernelConfig = wasmKernel<
  'x' | 'dy',
  Conv2DBackpropFilterAttrs & Convolution
>(Conv2DBackpropFilter, ['x', 'dy'], ({ inputs: { x, dy }, attrs, backend }) => {
  const { filterShape } = attrs
  const window = windowOf(Conv2DBackpropFilter, x.shape, filterShape, dy, attrs, false)
  const { matrices } = productsOf(backend)
  const dw = zeros(backend, filterShape)
  const [xAt, dyAt, dwAt] = [x, dy, dw].map((tensor) => addressOf(backend, tensor))
  const { inChannels, outChannels, strideWidth } = window
  const [xPixel, dyPixel] = [4 * inChannels, 4 * outChannels]
  eachRun(window, (tap, input, output, pixels) => {
    const c = dwAt + tap * inChannels * dyPixel
    const a = xAt + input * xPixel
    const b = dyAt + output * dyPixel
    matrices(c, dyPixel, a, 4, strideWidth * xPixel, b, dyPixel, inChannels, outChannels, pixels)
  })
  return dw
})
