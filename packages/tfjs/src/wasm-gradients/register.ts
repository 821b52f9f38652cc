import {
  getKernel,
  type KernelConfig,
  Mean,
  registerKernel,
  Sum,
  unregisterKernel,
} from '@tensorflow/tfjs-core'
import { conv2DBackpropFilter } from './Conv2DBackpropFilter.ts'
import { conv2DBackpropInput } from './Conv2DBackpropInput.ts'
import { columnSums } from './column-sums.ts'
import { depthwiseConv2dNativeBackpropFilter } from './DepthwiseConv2dNativeBackpropFilter.ts'
import { depthwiseConv2dNativeBackpropInput } from './DepthwiseConv2dNativeBackpropInput.ts'
import { differentiateDilated } from './dilated.ts'
import { maxPoolGrad } from './MaxPoolGrad.ts'
import { tile } from './Tile.ts'
import { unsortedSegmentSum } from './UnsortedSegmentSum.ts'

const kernels = [
  conv2DBackpropFilter,
  conv2DBackpropInput,
  depthwiseConv2dNativeBackpropFilter,
  depthwiseConv2dNativeBackpropInput,
  maxPoolGrad,
  tile,
  unsortedSegmentSum,
]

/**
 * Adds to the wasm backend of TensorFlow.js what it lacks to train convolutions and embeddings, for
 * NHWC images of 32-bit floats. To be called once, after `@tensorflow/tfjs-backend-wasm` is imported;
 * other backends stay as they are.
 *
 * New are the gradients `Conv2DBackpropFilter`, `DepthwiseConv2dNativeBackpropFilter`,
 * `DepthwiseConv2dNativeBackpropInput` and `UnsortedSegmentSum`, and those of dilated `conv2d` and
 * `depthwiseConv2d`. Replaced are `Conv2DBackpropInput`, `Tile`, and `Sum` and `Mean` over the first
 * axes, which were slow, and `MaxPoolGrad`, which was wrong where all inputs of a window are negative.
 */
export function registerWasmGradients(): void {
  for (const kernel of kernels) replace(kernel)
  for (const name of [Sum, Mean]) {
    const own = getKernel(name, 'wasm')
    if (own && !extended.has(own)) replace(extend(own))
  }
  differentiateDilated()
}

const extended = new WeakSet<KernelConfig>()

function extend(own: KernelConfig): KernelConfig {
  const both = columnSums(own)
  extended.add(both)
  return both
}

function replace(kernel: KernelConfig): void {
  const { kernelName, backendName } = kernel
  if (getKernel(kernelName, backendName)) unregisterKernel(kernelName, backendName)
  registerKernel(kernel)
}
