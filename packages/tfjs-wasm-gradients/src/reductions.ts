import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import {
  backend_util,
  type KernelConfig,
  Mean,
  type TensorInfo,
  UnsortedSegmentSum,
  type UnsortedSegmentSumAttrs,
  util,
} from '@tensorflow/tfjs-core'
import { addressOf, float32View, wasmKernel, zeros } from './backend.ts'
import { matrixProductsOf } from './matrix-products.ts'

/** The attributes of `Sum` and `Mean`. */
interface ReductionAttributes {
  readonly axis: number | number[]
  readonly keepDims: boolean
}

/** Rows summed at a time; the sums of such blocks are summed again, which rounds less than one long sum. */
const blockRows = 64

/**
 * Extends the backend's `Sum` or `Mean`: y[n] = Σₖ x[k, n], sums and means over the leading axes, as
 * batch normalization takes them over all pixels, without the transpose of x that the backend's kernel
 * makes. Other reductions run the backend's kernel.
 */
export const withColumnSums = (original: KernelConfig): KernelConfig => ({
  ...original,
  ...wasmKernel<'x', ReductionAttributes>(
    original.kernelName,
    [],
    ({ inputs: { x }, attrs, backend }) => {
      const axes = util.parseAxisParam(attrs.axis, x.shape)
      const leading = axes.length < x.shape.length && axes.every((axis) => axis < axes.length)
      const columns = util.sizeFromShape(x.shape.slice(axes.length))
      if (!leading || columns < 4 || x.dtype !== 'float32') {
        // A reduction has one output.
        return original.kernelFunc({ inputs: { x }, attrs: { ...attrs }, backend }) as TensorInfo
      }
      const [reduced] = backend_util.computeOutAndReduceShapes(x.shape, axes)
      const shape = attrs.keepDims ? backend_util.expandShapeToKeepDim(reduced, axes) : reduced
      const rows = util.sizeFromShape(x.shape) / columns
      const y = columnSums(backend, x, [rows, columns], shape)
      if (original.kernelName === Mean) divide(float32View(backend, y), rows)
      return y
    },
  ),
})

function divide(elements: Float32Array, by: number): void {
  for (let n = 0; n < elements.length; n++) elements[n] /= by
}

/** The sums of the columns of a matrix. */
function columnSums(
  backend: BackendWasm,
  x: TensorInfo,
  [rows, columns]: readonly [number, number],
  shape: number[],
): TensorInfo {
  const { addMatrixProduct } = matrixProductsOf(backend)
  const blocks = Math.ceil(rows / blockRows)
  const partial = zeros(backend, blocks === 1 ? shape : [blocks, columns])
  const one = backend.makeOutput([1], 'float32')
  float32View(backend, one)[0] = 1
  const [xAt, yAt, oneAt] = [x, partial, one].map((tensor) => addressOf(backend, tensor))
  const row = 4 * columns
  for (let block = 0; block < blocks; block++) {
    const from = block * blockRows
    const length = Math.min(blockRows, rows - from)
    addMatrixProduct(yAt + block * row, row, oneAt, 0, 0, xAt + from * row, row, 1, columns, length)
  }
  backend.disposeData(one.dataId)
  if (blocks === 1) return partial
  const y = columnSums(backend, partial, [blocks, columns], shape)
  backend.disposeData(partial.dataId)
  return y
}

/**
 * y[s] = Σ x[i] over all i with segmentIds[i] = s: the gradient of `gather`, and so of embeddings.
 * As in TensorFlow, rows with a segment id outside [0, numSegments) are ignored.
 */
export const unsortedSegmentSum: KernelConfig = wasmKernel<
  'x' | 'segmentIds',
  UnsortedSegmentSumAttrs
>(UnsortedSegmentSum, ['x'], ({ inputs: { x, segmentIds }, attrs: { numSegments }, backend }) => {
  checkSegmentIds(x, segmentIds)
  const rowShape = x.shape.slice(segmentIds.shape.length)
  const y = zeros(backend, [numSegments, ...rowShape])
  const ids = backend.typedArrayFromHeap(segmentIds)
  const [from, to] = [float32View(backend, x), float32View(backend, y)]
  const width = to.length / numSegments
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] < 0 || ids[i] >= numSegments) continue
    const [row, segment] = [i * width, ids[i] * width]
    for (let n = 0; n < width; n++) to[segment + n] += from[row + n]
  }
  return y
})

function checkSegmentIds(x: TensorInfo, { shape, dtype }: TensorInfo): void {
  if (dtype !== 'int32') {
    throw new Error(`UnsortedSegmentSum on wasm: segmentIds must be of type int32, but is ${dtype}`)
  }
  if (shape.some((size, axis) => size !== x.shape[axis])) {
    throw new Error(
      `UnsortedSegmentSum on wasm: the shape of segmentIds must begin that of x, [${x.shape}], but is [${shape}]`,
    )
  }
}
