import type { ArrayLists, Graph, Kernel, Values } from '@diffgrad/core'
import {
  type DataStorage,
  engine,
  type KernelBackend,
  type Tensor,
  type TensorInfo,
  Variable,
} from '@tensorflow/tfjs-core'

/** A kernel over the arrays at all positions of some lists. */
export interface KernelOperands {
  readonly kernel: Kernel
  readonly graph: Graph
  readonly lists: ArrayLists<Tensor>
  readonly coefficients: Readonly<Record<string, number>>
  /**
   * For each position, the coefficients that are on the device. Only operations of TensorFlow.js and the engine of
   * the webgpu backend take some.
   */
  readonly dependents?: readonly Values<Tensor>[] | undefined
}

/** A kernel to run over the arrays at all positions of some lists. */
export interface KernelLaunch extends KernelOperands {
  /** The step of an update, from 1; 0 for any other kernel. */
  readonly t: number
  /**
   * Whether an array is optimizer state, which may be overwritten in place; gives it data of its own
   * first, if that is shared. Variables of the user are never overwritten in place: backends cache data
   * derived from theirs (packed weights, copies on the CPU).
   */
  readonly ensureOwned: (array: Tensor) => boolean
}

/** Runs kernels on one backend of TensorFlow.js. */
export interface BackendEngine {
  /** Whether it can run a kernel. */
  supports(graph: Graph): boolean
  /** Runs a kernel on arrays that are all on its backend. */
  run(launch: KernelLaunch): void
  /**
   * Sums what a kernel would write, as `Backend.sums` of core. Without this method, operations of TensorFlow.js
   * do it.
   */
  sums?(operands: KernelOperands): ElementSums
}

/** For each name that a kernel writes, the sum over all elements at each position. */
export type ElementSums = Readonly<Record<string, readonly number[]>>

/** The number of positions in the lists of a kernel. */
export const positionCount = ({ kernel, lists }: KernelOperands): number =>
  lists[kernel.reads[0]].length

/** Moves the data of arrays to a backend; TensorFlow.js leaves it where it was when the backend changes. */
export function moveToBackend(backend: KernelBackend, arrays: readonly Tensor[]): void {
  const { tensorInfo } = engine().state
  for (const { dataId } of arrays) {
    if (tensorInfo.get(dataId)?.backend !== backend) engine().moveData(backend, dataId)
  }
}

/**
 * Whether a member of a backend is its storage of tensor data. Not instanceof, because the backend may be of
 * another copy of TensorFlow.js.
 */
export const isDataStorage = (member: unknown): member is DataStorage<unknown> =>
  typeof member === 'object' && member !== null && 'numDataIds' in member && 'get' in member

/** Replaces the data of an array by an output of its backend, and releases the old data. */
export function setData(backend: KernelBackend, array: Tensor, output: TensorInfo): void {
  const tensor = engine().makeTensorFromTensorInfo({ ...output, shape: array.shape }, backend)
  variableOf(array).assign(tensor)
  tensor.dispose()
}

/** The variable that an array which is written to must be: the user's, or optimizer state. */
export function variableOf(array: Tensor): Variable {
  if (array instanceof Variable) return array
  throw new TypeError('only variables can be written to')
}

/** The value of a key in a cache, computed and inserted at first. */
export function getOrInsertComputed<K, V>(
  cache: { get(key: K): V | undefined; set(key: K, value: V): unknown },
  key: K,
  compute: () => V,
): V {
  const value = cache.get(key) ?? compute()
  cache.set(key, value)
  return value
}
