import { type Loop, type LoopTable, loopOf } from '@diffgrad/arrays/kernels'
import type { Graph } from '@diffgrad/core'
import {
  type DataId,
  DataStorage,
  type KernelBackend,
  type TensorInfo,
} from '@tensorflow/tfjs-core'
import { adopt, type Call, type Engine, positionsOf, writtenBy } from './engine.ts'

/** What is used of the cpu backend. */
interface CpuBackend extends KernelBackend {
  readonly data: DataStorage<{ readonly values: Float32Array }>
  makeTensorInfo(shape: number[], dtype: 'float32', values: Float32Array): TensorInfo
}

/** Whether a backend is the cpu backend, on plain typed arrays. */
export const isCpu = (backend: KernelBackend): backend is CpuBackend =>
  'blockSize' in backend && 'data' in backend && backend.data instanceof DataStorage

/** Loops over the arrays in which the cpu backend has its tensors. */
export class CpuEngine implements Engine {
  readonly #backend: CpuBackend
  readonly #made: LoopTable
  readonly #loops = new WeakMap<Graph, Loop>()

  /** @param made - loops that were made at build time; others are interpreted. */
  constructor(backend: CpuBackend, made: LoopTable) {
    this.#backend = backend
    this.#made = made
  }

  takes(): boolean {
    return true
  }

  run(call: Call): void {
    const { graph, lists, coefficients, inPlace } = call
    const loop = this.#loops.get(graph) ?? loopOf(graph, this.#made)
    this.#loops.set(graph, loop)
    const scalars = graph.coefficients.map((name) => coefficients[name])
    const written = writtenBy(graph)
    for (let k = 0; k < positionsOf(call); k++) {
      const copies = new Map<string, Float32Array>()
      const arrays = graph.arrays.map((name) => {
        const array = lists[name][k]
        const values = this.#values(array.dataId)
        if (!written.has(name) || inPlace(array)) return this.#values(array.dataId)
        copies.set(name, values.slice())
        return copies.get(name) ?? values
      })
      loop(arrays[0].length, arrays, scalars)
      for (const [name, values] of copies) {
        const array = lists[name][k]
        adopt(this.#backend, array, this.#backend.makeTensorInfo(array.shape, 'float32', values))
      }
    }
  }

  #values(dataId: DataId): Float32Array {
    return this.#backend.data.get(dataId).values
  }
}
