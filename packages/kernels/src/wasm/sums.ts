import type { Graph } from '@diffgrad/core'
import type { FloatArray } from '../typed-arrays.ts'
import { type KernelMemory, type KernelPool, memoryOf } from './launch.ts'
import { padding } from './loop.ts'
import { sumBlock, sumBytes } from './sum-loop.ts'

/** Blocks that are staged at a time: as many elements as other kernels stage. */
const stagedBlocks = 2

/** How to sum over arrays: where they lie, and with which threads. */
interface SumOptions {
  readonly memory: KernelMemory
  readonly pool: KernelPool | undefined
}

/**
 * Sums what a graph would write over arrays, in double precision, block by block, and then the sums of the blocks:
 * always in the same order. Elements beyond the last multiple of `padding` are left out, because what a graph
 * computes of padding need not be zero.
 *
 * @param arrays - those of the graph, in its order, of one length; undefined for the written ones. Those outside of
 * the memory are staged.
 * @returns the sums in the order of the outputs; undefined if the staging buffer is too small.
 */
export function wholeSums(
  graph: Graph,
  arrays: readonly (FloatArray | undefined)[],
  coefficients: readonly number[],
  { memory, pool }: SumOptions,
): readonly number[] | undefined {
  const { outputs } = graph
  const length = arrays.find((array) => array)?.length ?? 0
  const whole = length - (length % padding)
  const staged = arrays.flatMap((array) => (array && memoryOf(array) !== memory ? [array] : []))
  const { blocks, tables, buffers } = layoutOf(memory, outputs.length, staged.length)
  if (blocks === 0 || !memory.supports(graph)) return undefined
  const table = new Float64Array(memory.memory.buffer, tables[0], blocks * outputs.length)
  const sums = outputs.map(() => 0)
  for (let from = 0; from < whole; from += blocks * sumBlock) {
    const elements = Math.min(blocks * sumBlock, whole - from)
    for (const [i, array] of staged.entries()) {
      buffers[i].set(array.subarray(from, from + elements))
    }
    let outside = 0
    const addresses = arrays.map((array, i) => {
      if (!array) return tables[outputs.findIndex(([name]) => name === graph.arrays[i])]
      if (memoryOf(array) !== memory) return buffers[outside++].byteOffset
      return array.byteOffset + from * memory.elementBytes
    })
    memory.storeSums(graph, addresses, elements, coefficients, staged.length > 0 ? undefined : pool)
    for (const i of sums.keys()) {
      const first = i * blocks
      for (let k = 0; k < Math.ceil(elements / sumBlock); k++) sums[i] += table[first + k]
    }
  }
  return sums
}

/**
 * Divides the staging buffer among the sums of blocks, a table for each output, and the staged arrays.
 *
 * @returns how many blocks fit; 0 if none does.
 */
function layoutOf(
  memory: KernelMemory,
  outputs: number,
  staged: number,
): {
  readonly blocks: number
  readonly tables: readonly number[]
  readonly buffers: readonly FloatArray[]
} {
  const { staging, elementBytes, stagingElements } = memory
  const bytes = stagingElements * elementBytes
  const blockBytes = outputs * sumBytes + staged * sumBlock * elementBytes
  const most = Math.floor(bytes / blockBytes)
  const blocks = staged > 0 ? Math.min(stagedBlocks, most) : most
  const tables = Array.from({ length: outputs }, (_, i) => staging + i * blocks * sumBytes)
  const buffersAt = staging + outputs * blocks * sumBytes
  const elements = blocks * sumBlock
  const buffers = Array.from({ length: staged }, (_, i) =>
    memory.view(buffersAt + i * elements * elementBytes, elements),
  )
  return { blocks, tables, buffers }
}
