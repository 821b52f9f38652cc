import type { Graph } from '@diffgrad/core'
import { createEngine, type KernelEngine, KernelMemory, wasmSupported } from '@diffgrad/kernels'
import type { DataStorage, KernelBackend, Tensor, TensorInfo } from '@tensorflow/tfjs-core'
import {
  type BackendEngine,
  type ElementSums,
  isDataStorage,
  type KernelLaunch,
  type KernelOperands,
  positionCount,
  setData,
} from './engine.ts'

/** The members of the wasm backend that are used here. */
interface WasmBackend extends KernelBackend {
  readonly dataIdMap: DataStorage<{ readonly memoryOffset: number }>
  /** The Emscripten module. Which of both properties it has depends on the build. */
  readonly wasm: {
    readonly wasmMemory?: WebAssembly.Memory
    readonly asm?: { readonly memory?: WebAssembly.Memory }
  }
  makeOutput(shape: number[], dtype: 'float32'): TensorInfo
}

/** Whether a backend is the wasm backend, on a machine with WebAssembly SIMD. */
export const isWasm = (backend: KernelBackend): backend is WasmBackend =>
  'dataIdMap' in backend && isDataStorage(backend.dataIdMap) && 'wasm' in backend && wasmSupported()

/** Elements of each array that a kernel stages at a time, where a tensor's length is not a whole number of vectors. */
const stagingElements = 512

/** Runs kernels in the memory of the wasm backend. */
export class WasmEngine implements BackendEngine {
  readonly #backend: WasmBackend
  readonly #kernels: KernelMemory
  /** Adds in the memory of the backend; created for the first rule with sums. */
  #sums: KernelEngine | undefined

  /** The engine of a backend, or undefined if its build does not export its memory. */
  static of(backend: WasmBackend): WasmEngine | undefined {
    const memory = backend.wasm.wasmMemory ?? backend.wasm.asm?.memory
    return memory && new WasmEngine(backend, memory)
  }

  private constructor(backend: WasmBackend, memory: WebAssembly.Memory) {
    this.#backend = backend
    const bytes = KernelMemory.workspaceBytes('float32', stagingElements)
    const workspace = this.#address(backend.makeOutput([bytes / 4], 'float32'))
    this.#kernels = new KernelMemory(memory, 'float32', { workspace, stagingElements })
  }

  supports(graph: Graph): boolean {
    return this.#kernels.supports(graph)
  }

  sums({ kernel, graph, lists, coefficients }: KernelOperands): ElementSums {
    const arrays = [...graph.reads].map((name) => [
      name,
      lists[name].map((array) => this.#kernels.array(this.#address(array), array.size)),
    ])
    this.#sums ??= createEngine('wasm')
    return this.#sums.sums(kernel, Object.fromEntries(arrays), coefficients)
  }

  run(launch: KernelLaunch): void {
    const { graph, lists, coefficients, t, ensureOwned } = launch
    const { reads, writes } = graph
    // All outputs first, and then the addresses: an allocation may grow memory, which detaches views.
    const positions = Array.from({ length: positionCount(launch) }, (_, k) =>
      graph.arrays.map((name) => {
        const array = lists[name][k]
        const output = writes.has(name) && !ensureOwned(array) ? this.#allocate(array) : undefined
        return { array, output, isRead: reads.has(name) }
      }),
    )
    const bytes = new Uint8Array(this.#kernels.memory.buffer)
    for (const operands of positions) {
      const { size } = operands[0].array
      const addresses = operands.map(({ array, output, isRead }) => {
        const from = this.#address(array)
        if (!output) return from
        const to = this.#address(output)
        if (isRead) bytes.copyWithin(to, from, from + 4 * size)
        return to
      })
      this.#kernels.run(graph, addresses, size, coefficients, t)
    }
    for (const { array, output } of positions.flat()) {
      if (output) setData(this.#backend, array, output)
    }
  }

  #allocate({ shape }: Tensor): TensorInfo {
    return this.#backend.makeOutput(shape, 'float32')
  }

  #address({ dataId }: TensorInfo): number {
    return this.#backend.dataIdMap.get(dataId).memoryOffset
  }
}
