import {
  createEngine,
  type GeneratedKernels,
  type KernelEngine,
  wasmSupported,
} from '@diffgrad/kernels'
import {
  DataStorage,
  type KernelBackend,
  type Tensor,
  type TensorInfo,
} from '@tensorflow/tfjs-core'
import { adopt, type Call, type Engine } from './engine.ts'

/** What is used of the cpu backend. */
interface CpuBackend extends KernelBackend {
  readonly data: DataStorage<{ readonly values: Float32Array }>
  makeTensorInfo(shape: number[], dtype: 'float32', values: Float32Array): TensorInfo
}

/** Whether a backend is the cpu backend, on plain typed arrays. */
export const isCpu = (backend: KernelBackend): backend is CpuBackend =>
  'blockSize' in backend && 'data' in backend && backend.data instanceof DataStorage

/**
 * Kernels of @diffgrad/arrays over the arrays in which the cpu backend has its tensors: WebAssembly, or
 * JavaScript where that is forbidden.
 */
export class CpuEngine implements Engine {
  readonly #backend: CpuBackend
  readonly #kernels: KernelEngine

  /** @param made - loops that were made at build time, for JavaScript; others are interpreted. */
  constructor(backend: CpuBackend, made: GeneratedKernels) {
    this.#backend = backend
    this.#kernels = createEngine(wasmSupported() ? 'wasm' : 'javascript', { generated: made })
  }

  takes(): boolean {
    return true
  }

  run({ kernel, graph, lists, coefficients, t, inPlace }: Call): void {
    const written = graph.writes
    const replaced: [Tensor, Float32Array][] = []
    const valuesOf = (name: string, array: Tensor): Float32Array => {
      // Asked first: what was shared until now has data of its own afterwards.
      const isKept = !written.has(name) || inPlace(array)
      const { values } = this.#backend.data.get(array.dataId)
      if (isKept) return values
      const copy = values.slice()
      replaced.push([array, copy])
      return copy
    }
    const arrays = Object.fromEntries(
      graph.arrays.map((name) => [name, lists[name].map((array) => valuesOf(name, array))]),
    )
    this.#kernels.run(kernel, arrays, coefficients, t)
    for (const [array, values] of replaced) {
      adopt(this.#backend, array, this.#backend.makeTensorInfo(array.shape, 'float32', values))
    }
  }
}
