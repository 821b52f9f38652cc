import { createEngine, type GeneratedKernels, type KernelEngine } from '@diffgrad/kernels'
import type { DataStorage, KernelBackend, Tensor, TensorInfo } from '@tensorflow/tfjs-core'
import {
  type BackendEngine,
  type ElementSums,
  isDataStorage,
  type KernelLaunch,
  type KernelOperands,
  setData,
} from './engine.ts'

/** The members of the cpu backend that are used here. */
interface CpuBackend extends KernelBackend {
  readonly data: DataStorage<{ readonly values: Float32Array }>
  makeTensorInfo(shape: number[], dtype: 'float32', values: Float32Array): TensorInfo
}

/** Whether a backend is the cpu backend, on plain typed arrays. */
export const isCpu = (backend: KernelBackend): backend is CpuBackend =>
  'blockSize' in backend && 'data' in backend && isDataStorage(backend.data)

/**
 * Runs kernels over the typed arrays in which the cpu backend keeps its tensors: in WebAssembly, or in
 * JavaScript where that is forbidden.
 */
export class CpuEngine implements BackendEngine {
  readonly #backend: CpuBackend
  readonly #kernels: KernelEngine

  /** @param generated - kernels for JavaScript; any other kernel is interpreted. */
  constructor(backend: CpuBackend, generated: GeneratedKernels) {
    this.#backend = backend
    this.#kernels = createEngine(['wasm', 'javascript'], { generated })
  }

  supports(): boolean {
    return true
  }

  sums({ kernel, graph, lists, coefficients }: KernelOperands): ElementSums {
    const arrays = [...graph.reads].map((name) => [
      name,
      lists[name].map(({ dataId }) => this.#backend.data.get(dataId).values),
    ])
    return this.#kernels.sums(kernel, Object.fromEntries(arrays), coefficients)
  }

  run({ kernel, graph, lists, coefficients, t, ensureOwned }: KernelLaunch): void {
    const outputs: [array: Tensor, values: Float32Array][] = []
    const valuesOf = (name: string, array: Tensor): Float32Array => {
      // Before the data is looked up, because an array that was shared has other data afterwards.
      const inPlace = !graph.writes.has(name) || ensureOwned(array)
      const { values } = this.#backend.data.get(array.dataId)
      if (inPlace) return values
      const copy = values.slice()
      outputs.push([array, copy])
      return copy
    }
    const arrays = Object.fromEntries(
      graph.arrays.map((name) => [name, lists[name].map((array) => valuesOf(name, array))]),
    )
    this.#kernels.run(kernel, arrays, coefficients, t)
    for (const [array, values] of outputs) {
      setData(this.#backend, array, this.#backend.makeTensorInfo(array.shape, 'float32', values))
    }
  }
}
