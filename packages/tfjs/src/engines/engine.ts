import type { ArrayLists, Graph, Kernel } from '@diffgrad/core'
import {
  engine,
  type KernelBackend,
  type Tensor,
  type TensorInfo,
  Variable,
} from '@tensorflow/tfjs-core'

/** One kernel to be run over all positions of some lists. */
export interface Call {
  readonly kernel: Kernel
  readonly graph: Graph
  readonly lists: ArrayLists<Tensor>
  readonly coefficients: Readonly<Record<string, number>>
  /** Which step of an update, from 1; 0 for anything else. */
  readonly t: number
  /**
   * Whether an array may be changed where it lies, because nobody else has it. A variable of the user's
   * never may: backends keep what they derived from its data (packed weights, copies on the CPU).
   */
  readonly inPlace: (array: Tensor) => boolean
}

/** Runs kernels on one backend of TensorFlow.js. */
export interface Engine {
  /** Whether it can run a kernel. */
  takes(graph: Graph): boolean
  /** Runs a kernel on arrays that are all on its backend. */
  run(call: Call): void
}

/** How many positions a call has. */
export const positionsOf = ({ graph, lists }: Call): number => lists[graph.arrays[0]].length

/** Brings arrays to a backend: a change of the backend leaves them where they were made. */
export function bring(backend: KernelBackend, arrays: readonly Tensor[]): void {
  const { tensorInfo } = engine().state
  for (const { dataId } of arrays) {
    if (tensorInfo.get(dataId)?.backend !== backend) engine().moveData(backend, dataId)
  }
}

/** Gives an array the data that a backend has made, and lets go of what it had. */
export function adopt(backend: KernelBackend, array: Tensor, made: TensorInfo): void {
  const tensor = engine().makeTensorFromTensorInfo({ ...made, shape: array.shape }, backend)
  variableOf(array).assign(tensor)
  tensor.dispose()
}

/** An array that is written to. All of them are variables: the user's, or memory. */
export function variableOf(array: Tensor): Variable {
  if (array instanceof Variable) return array
  throw new TypeError('only variables can be written to')
}
