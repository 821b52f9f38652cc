import { type ArrayLists, type Graph, type Kernel, trace } from '@diffgrad/core'
import type { GeneratedKernel } from './generated-kernels.ts'
import type { FloatArray } from './typed-arrays.ts'

/** Sums what a graph would write over one array each, in the order of its outputs. */
type SumArrays = (
  graph: Graph,
  arrays: readonly (FloatArray | undefined)[],
  coefficients: readonly number[],
) => readonly number[]

/** Sums what a kernel would write, for each written name and each position of the lists. */
export function sumsByName(
  kernel: Kernel,
  lists: ArrayLists<FloatArray>,
  coefficients: Readonly<Record<string, number>>,
  sumArrays: SumArrays,
): Readonly<Record<string, readonly number[]>> {
  const graph = trace(kernel)
  const scalars = graph.coefficients.map((name) => coefficients[name])
  const [first] = graph.reads
  const sums = lists[first].map((_, position) =>
    sumArrays(
      graph,
      graph.arrays.map((name) => (graph.writes.has(name) ? undefined : lists[name][position])),
      scalars,
    ),
  )
  return Object.fromEntries(graph.outputs.map(([name], i) => [name, sums.map((one) => one[i])]))
}

/** How many elements are computed before they are added: they stay in the cache. */
const blockLength = 512

/**
 * Sums what a kernel writes over the elements of arrays, in double precision: block by block, and then the
 * sums of the blocks, always in the same order.
 *
 * @param arrays - those of the graph, in its order; undefined for the written ones.
 * @returns the sums in the order of the outputs.
 */
export function sumsOf(
  { arrays: names, outputs }: Graph,
  compute: GeneratedKernel,
  arrays: readonly (FloatArray | undefined)[],
  coefficients: readonly number[],
): readonly number[] {
  const sums = outputs.map(() => 0)
  const length = Math.max(...arrays.map((array) => array?.length ?? 0))
  const size = Math.min(blockLength, length)
  const blocks = new Map(outputs.map(([name]) => [name, new Float64Array(size)]))
  for (let start = 0; start < length; start += blockLength) {
    const count = Math.min(blockLength, length - start)
    const operands = names.map(
      (name, i) => blocks.get(name) ?? arrays[i]?.subarray(start, start + count),
    )
    compute(count, operands as FloatArray[], coefficients) // Every array that is read is there.
    for (const [k, block] of [...blocks.values()].entries()) {
      let sum = 0
      for (let i = 0; i < count; i++) sum += block[i]
      sums[k] += sum
    }
  }
  return sums
}
