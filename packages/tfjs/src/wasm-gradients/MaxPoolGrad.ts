import { type KernelConfig, MaxPoolGrad, type MaxPoolGradAttrs } from '@tensorflow/tfjs-core'
import { wasmKernel } from './kernel.ts'
import { floatsOf, zeros } from './memory.ts'
import { eachRun, poolingOf } from './window.ts'

/**
 * y[p, c] = maxₖ x[stride·p + k − begin, c], so ∂x is ∂y at the first place of the greatest input, and
 * zero elsewhere. The backend's own kernel takes the maximum to be at least 0, and so loses ∂y where
 * all inputs of a window are negative.
 */
export const maxPoolGrad: KernelConfig = wasmKernel<'dy' | 'input', MaxPoolGradAttrs>(
  MaxPoolGrad,
  ['dy', 'input'],
  ({ inputs: { dy, input }, attrs, backend }) => {
    const window = poolingOf(MaxPoolGrad, input.shape, dy, attrs)
    const { inChannels: channels, strideWidth } = window
    const output = zeros(backend, input.shape)
    const [x, ofY, ofX] = [input, dy, output].map((tensor) => floatsOf(backend, tensor))
    const greatest = new Float32Array(ofY.length).fill(Number.NEGATIVE_INFINITY)
    const places = new Int32Array(ofY.length).fill(-1)
    eachRun(window, (_tap, from, to, pixels) => {
      for (let p = 0; p < pixels; p++) {
        const [at, place] = [(to + p) * channels, (from + p * strideWidth) * channels]
        for (let c = 0; c < channels; c++) {
          if (!(x[place + c] > greatest[at + c])) continue
          greatest[at + c] = x[place + c]
          places[at + c] = place + c
        }
      }
    })
    for (let i = 0; i < places.length; i++) if (places[i] >= 0) ofX[places[i]] += ofY[i]
    return output
  },
)
