import {
  getKernel,
  type KernelConfig,
  Mean,
  registerKernel,
  Sum,
  unregisterKernel,
} from '@tensorflow/tfjs-core'
import {
  conv2DBackpropFilter,
  conv2DBackpropInput,
  depthwiseConv2dNativeBackpropFilter,
  depthwiseConv2dNativeBackpropInput,
} from './convolution.ts'
import { registerDilatedGradients } from './dilated-convolution.ts'
import { maxPoolGrad } from './max-pool.ts'
import { unsortedSegmentSum, withColumnSums } from './reductions.ts'
import { tile } from './tile.ts'

const kernels = [
  conv2DBackpropFilter,
  conv2DBackpropInput,
  depthwiseConv2dNativeBackpropFilter,
  depthwiseConv2dNativeBackpropInput,
  maxPoolGrad,
  tile,
  unsortedSegmentSum,
]

/** The kernels of `Sum` and `Mean` registered here, so that a second call does not wrap them again. */
const extended = new WeakSet<KernelConfig>()

/**
 * Registers the kernels that the wasm backend of TensorFlow.js lacks to train convolutions and
 * embeddings, for NHWC images of float32. Call it once, after `@tensorflow/tfjs-backend-wasm` is
 * imported; other backends are not changed.
 *
 * New are the gradients `Conv2DBackpropFilter`, `DepthwiseConv2dNativeBackpropFilter`,
 * `DepthwiseConv2dNativeBackpropInput` and `UnsortedSegmentSum`, and those of dilated `conv2d` and
 * `depthwiseConv2d`. Replaced are `Conv2DBackpropInput`, `Tile`, and `Sum` and `Mean` over the leading
 * axes, which were slow, and `MaxPoolGrad`, which was wrong where all inputs of a window are negative.
 */
export function registerWasmGradients(): void {
  for (const kernel of kernels) replaceKernel(kernel)
  for (const name of [Sum, Mean]) {
    const original = getKernel(name, 'wasm')
    if (!original || extended.has(original)) continue
    const extension = withColumnSums(original)
    extended.add(extension)
    replaceKernel(extension)
  }
  registerDilatedGradients()
}

function replaceKernel(kernel: KernelConfig): void {
  const { kernelName, backendName } = kernel
  if (getKernel(kernelName, backendName)) unregisterKernel(kernelName, backendName)
  registerKernel(kernel)
}
