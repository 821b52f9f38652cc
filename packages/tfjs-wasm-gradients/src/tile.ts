import { type KernelConfig, Tile, type TileAttrs, util } from '@tensorflow/tfjs-core'
import { wasmKernel } from './backend.ts'

/**
 * y[i, j, …] = x[i mod I, j mod J, …], copied in blocks: the gradient of a batch normalization repeats
 * one number per channel over all pixels.
 */
export const tile: KernelConfig = wasmKernel<'x', TileAttrs>(
  Tile,
  [],
  ({ inputs: { x }, attrs: { reps }, backend }) => {
    const shape = x.shape.map((size, axis) => size * reps[axis])
    const y = backend.makeOutput(shape, x.dtype)
    const [from, to] = [backend.typedArrayFromHeap(x), backend.typedArrayFromHeap(y)]
    /** The first of the trailing axes that are not repeated; their elements are copied as one block. */
    const blockAxis = reps.findLastIndex((times) => times !== 1) + 1
    const blockSize = util.sizeFromShape(x.shape.slice(blockAxis))
    let read = 0
    /** Writes the next slice of x along the axes from `axis` on, repeated. Returns where it ends in y. */
    const write = (axis: number, begin: number): number => {
      if (axis === blockAxis) {
        to.set(from.subarray(read, read + blockSize), begin)
        read += blockSize
        return begin + blockSize
      }
      let end = begin
      for (let i = 0; i < x.shape[axis]; i++) end = write(axis + 1, end)
      const once = end - begin
      const all = once * reps[axis]
      for (let done = once; done < all; done *= 2) {
        to.copyWithin(begin + done, begin, begin + Math.min(done, all - done))
      }
      return begin + all
    }
    write(0, 0)
    return y
  },
)
