import {
  DepthwiseConv2dNativeBackpropFilter,
  type DepthwiseConv2dNativeBackpropFilterAttrs,
  type KernelConfig,
} from '@tensorflow/tfjs-core'
import { repeatChannels } from './channels.ts'
import { wasmKernel } from './kernel.ts'
import { addressOf, zeros } from './memory.ts'
import { productsOf } from './products.ts'
import { eachRun, windowOf } from './window.ts'

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
  const window = windowOf(name, x.shape, filterShape, dy, attrs, true)
  const { lanes } = productsOf(backend)
  const repeated = repeatChannels(backend, x, filterShape[3])
  const dw = zeros(backend, filterShape)
  const [xAt, dyAt, dwAt] = [repeated, dy, dw].map((tensor) => addressOf(backend, tensor))
  const { outChannels, strideWidth } = window
  const pixel = 4 * outChannels
  eachRun(window, (tap, input, output, pixels) => {
    const a = xAt + input * pixel
    const b = dyAt + output * pixel
    lanes(dwAt + tap * pixel, 0, a, strideWidth * pixel, b, pixel, outChannels, pixels)
  })
  if (repeated !== x) backend.disposeData(repeated.dataId)
  return dw
})
