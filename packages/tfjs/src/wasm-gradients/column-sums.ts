import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { backend_util, type KernelConfig, Mean, type TensorInfo, util } from '@tensorflow/tfjs-core'
import { wasmKernel } from './kernel.ts'
import { addressOf, floatsOf, zeros } from './memory.ts'
import { productsOf } from './products.ts'

/** What `Sum` and `Mean` are told. */
interface Reduction {
  readonly axis: number | number[]
  readonly keepDims: boolean
}

/** So many rows are summed at a time, and then their sums, which keeps more digits than one long sum. */
const blockRows = 64

/**
 * y[n] = Σₖ x[k, n]: sums and means over the first axes, as batch normalization takes them over all
 * pixels; the backend's kernel transposes x before. Other reductions are left to that.
 */
export const columnSums = (own: KernelConfig): KernelConfig => ({
  ...own,
  ...wasmKernel<'x', Reduction>(own.kernelName, [], ({ inputs: { x }, attrs, backend }) => {
    const axes = util.parseAxisParam(attrs.axis, x.shape)
    const first = axes.length < x.shape.length && axes.every((axis) => axis < axes.length)
    const columns = util.sizeFromShape(x.shape.slice(axes.length))
    if (!first || columns < 4 || x.dtype !== 'float32') {
      // A reduction has one output.
      return own.kernelFunc({ inputs: { x }, attrs: { ...attrs }, backend }) as TensorInfo
    }
    const [reduced] = backend_util.computeOutAndReduceShapes(x.shape, axes)
    const shape = attrs.keepDims ? backend_util.expandShapeToKeepDim(reduced, axes) : reduced
    const rows = util.sizeFromShape(x.shape) / columns
    const y = summed(backend, x, [rows, columns], shape)
    if (own.kernelName === Mean) divide(floatsOf(backend, y), rows)
    return y
  }),
})

function divide(elements: Float32Array, by: number): void {
  for (let n = 0; n < elements.length; n++) elements[n] /= by
}

/** The sums of the columns of a matrix. */
function summed(
  backend: BackendWasm,
  x: TensorInfo,
  [rows, columns]: readonly [number, number],
  shape: number[],
): TensorInfo {
  const { matrices } = productsOf(backend)
  const blocks = Math.ceil(rows / blockRows)
  const partial = zeros(backend, blocks === 1 ? shape : [blocks, columns])
  const one = backend.makeOutput([1], 'float32')
  floatsOf(backend, one)[0] = 1
  const [xAt, yAt, oneAt] = [x, partial, one].map((tensor) => addressOf(backend, tensor))
  const row = 4 * columns
  for (let block = 0; block < blocks; block++) {
    const from = block * blockRows
    const length = Math.min(blockRows, rows - from)
    matrices(yAt + block * row, row, oneAt, 0, 0, xAt + from * row, row, 1, columns, length)
  }
  backend.disposeData(one.dataId)
  if (blocks === 1) return partial
  const y = summed(backend, partial, [blocks, columns], shape)
  backend.disposeData(partial.dataId)
  return y
}
