import {
  DepthwiseConv2dNativeBackpropInput,
  type DepthwiseConv2dNativeBackpropInputAttrs,
  type KernelConfig,
} from '@tensorflow/tfjs-core'
import { sumChannels } from './channels.ts'
import { wasmKernel } from './kernel.ts'
import { addressOf, zeros } from './memory.ts'
import { productsOf } from './products.ts'
import { eachRun, windowOf } from './window.ts'

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
    const window = windowOf(name, inputShape, filter.shape, dy, attrs, true)
    const { lanes } = productsOf(backend)
    const { batchSize, inHeight, inWidth, outChannels, strideWidth } = window
    const terms = zeros(backend, [batchSize, inHeight, inWidth, outChannels])
    const [dyAt, wAt, at] = [dy, filter, terms].map((tensor) => addressOf(backend, tensor))
    const pixel = 4 * outChannels
    eachRun(window, (tap, input, output, pixels) => {
      const a = dyAt + output * pixel
      const b = wAt + tap * pixel
      lanes(at + input * pixel, strideWidth * pixel, a, pixel, b, 0, outChannels, pixels)
    })
    const dx = sumChannels(backend, terms, filter.shape[3])
    if (dx !== terms) backend.disposeData(terms.dataId)
    return dx
  },
)
