import {
  type KernelConfig,
  type TensorInfo,
  UnsortedSegmentSum,
  type UnsortedSegmentSumAttrs,
} from '@tensorflow/tfjs-core'
import { wasmKernel } from './kernel.ts'
import { floatsOf, zeros } from './memory.ts'

/**
 * y[s] = Σ x[i] over all i with segmentIds[i] = s: the gradient of `gather`, and so of embeddings.
 * As in TensorFlow, rows whose segment does not exist are left out.
 */
export const unsortedSegmentSum: KernelConfig = wasmKernel<
  'x' | 'segmentIds',
  UnsortedSegmentSumAttrs
>(UnsortedSegmentSum, ['x'], ({ inputs: { x, segmentIds }, attrs: { numSegments }, backend }) => {
  checkIds(x, segmentIds)
  const rest = x.shape.slice(segmentIds.shape.length)
  const y = zeros(backend, [numSegments, ...rest])
  const ids = backend.typedArrayFromHeap(segmentIds)
  const [from, to] = [floatsOf(backend, x), floatsOf(backend, y)]
  const width = to.length / numSegments
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] < 0 || ids[i] >= numSegments) continue
    const [row, segment] = [i * width, ids[i] * width]
    for (let n = 0; n < width; n++) to[segment + n] += from[row + n]
  }
  return y
})

function checkIds(x: TensorInfo, { shape, dtype }: TensorInfo): void {
  if (dtype !== 'int32') {
    throw new Error(`UnsortedSegmentSum on wasm: segmentIds must be of type int32, but is ${dtype}`)
  }
  if (shape.some((size, axis) => size !== x.shape[axis])) {
    throw new Error(
      `UnsortedSegmentSum on wasm: the shape of segmentIds must begin that of x, [${x.shape}], but is [${shape}]`,
    )
  }
}
