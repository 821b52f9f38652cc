import { type KernelConfig, MaxPoolGrad, type MaxPoolGradAttrs } from '@tensorflow/tfjs-core'
import { float32View, wasmKernel, zeros } from './backend.ts'
import { forEachRun, poolingGeometry } from './geometry.ts'

/**
 * y[p, c] = maxₖ x[stride·p + k − begin, c], so ∂x is ∂y at the argmax, the first of equal inputs, and
 * zero elsewhere. The backend's own kernel assumes that the maximum is at least 0, and so drops ∂y
 * where all inputs of a window are negative.
 */
export const maxPoolGrad: KernelConfig = wasmKernel<'dy' | 'input', MaxPoolGradAttrs>(
  MaxPoolGrad,
  ['dy', 'input'],
  ({ inputs: { dy, input }, attrs, backend }) => {
    const geometry = poolingGeometry(MaxPoolGrad, input.shape, dy, attrs)
    const { inChannels: channels, strideWidth } = geometry
    const output = zeros(backend, input.shape)
    const [x, dyValues, dx] = [input, dy, output].map((tensor) => float32View(backend, tensor))
    const maximum = new Float32Array(dyValues.length).fill(Number.NEGATIVE_INFINITY)
    const argmax = new Int32Array(dyValues.length).fill(-1)
    forEachRun(geometry, (_tap, inputPixel, outputPixel, pixels) => {
      for (let p = 0; p < pixels; p++) {
        const to = (outputPixel + p) * channels
        const from = (inputPixel + p * strideWidth) * channels
        for (let c = 0; c < channels; c++) {
          if (!(x[from + c] > maximum[to + c])) continue
          maximum[to + c] = x[from + c]
          argmax[to + c] = from + c
        }
      }
    })
    for (let i = 0; i < argmax.length; i++) if (argmax[i] >= 0) dx[argmax[i]] += dyValues[i]
    return output
  },
)
