import type { Graph } from '@diffgrad/core'
import type { GeneratedKernel } from './generated-kernels.ts'
import type { FloatArray } from './typed-arrays.ts'

/** How many elements are computed before they are added: they stay in the cache. */
const blockLength = 512

/**
 * Sums what a kernel writes over the elements of arrays, in double precision: block by block, and then the
 * sums of the blocks, always in the same order.
 *
 * @param arrays - those of the graph, in its order; what lies at the written ones is ignored.
 * @returns one sum for each written array.
 */
export function sumsOf(
  { arrays: names, outputs }: Graph,
  compute: GeneratedKernel,
  arrays: readonly (FloatArray | undefined)[],
  coefficients: readonly number[],
): ReadonlyMap<string, number> {
  const blocks = new Map(outputs.map(([name]) => [name, new Float64Array(blockLength)]))
  const sums = new Map(outputs.map(([name]) => [name, 0]))
  const length = Math.max(...arrays.map((array) => array?.length ?? 0))
  for (let start = 0; start < length; start += blockLength) {
    const count = Math.min(blockLength, length - start)
    const operands = names.map(
      (name, i) => blocks.get(name) ?? arrays[i]?.subarray(start, start + count),
    )
    compute(count, operands as FloatArray[], coefficients) // Every array that is read is there.
    for (const [name, block] of blocks) {
      let sum = 0
      for (let i = 0; i < count; i++) sum += block[i]
      sums.set(name, (sums.get(name) ?? 0) + sum)
    }
  }
  return sums
}

/** The sum of all elements in double precision: block by block, and then the sums of the blocks. */
export function sumOf(array: FloatArray): number {
  let total = 0
  for (let start = 0; start < array.length; start += blockLength) {
    const end = Math.min(start + blockLength, array.length)
    let sum = 0
    for (let i = start; i < end; i++) sum += array[i]
    total += sum
  }
  return total
}
