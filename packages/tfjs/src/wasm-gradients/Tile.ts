import { type KernelConfig, Tile, type TileAttrs, util } from '@tensorflow/tfjs-core'
import { wasmKernel } from './kernel.ts'

/**
 * y[i, j, …] = x[i mod I, j mod J, …], whole stretches at a time: the gradient of a batch
 * normalization repeats one number per channel over all pixels.
 */
export const tile: KernelConfig = wasmKernel<'x', TileAttrs>(
  Tile,
  [],
  ({ inputs: { x }, attrs: { reps }, backend }) => {
    const shape = x.shape.map((size, axis) => size * reps[axis])
    const y = backend.makeOutput(shape, x.dtype)
    const [from, to] = [backend.typedArrayFromHeap(x), backend.typedArrayFromHeap(y)]
    /** Axes from here on are copied as they are, together. */
    const solid = reps.findLastIndex((times) => times !== 1) + 1
    const stretch = util.sizeFromShape(x.shape.slice(solid))
    let read = 0
    /** Writes what belongs to one place on all axes before this one, and says where that ends. */
    const write = (axis: number, begin: number): number => {
      if (axis === solid) {
        to.set(from.subarray(read, read + stretch), begin)
        read += stretch
        return begin + stretch
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
