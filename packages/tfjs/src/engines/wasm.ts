import type { Graph } from '@diffgrad/core'
import { KernelMemory, wasmSupported } from '@diffgrad/kernels'
import {
  DataStorage,
  type KernelBackend,
  type Tensor,
  type TensorInfo,
} from '@tensorflow/tfjs-core'
import { adopt, type Call, type Engine, positionsOf } from './engine.ts'

/** What is used of the wasm backend. */
interface WasmBackend extends KernelBackend {
  readonly dataIdMap: DataStorage<{ readonly memoryOffset: number }>
  /** The module of Emscripten, whose build decides which of both there is. */
  readonly wasm: {
    readonly wasmMemory?: WebAssembly.Memory
    readonly asm?: { readonly memory?: WebAssembly.Memory }
  }
  makeOutput(shape: number[], dtype: 'float32'): TensorInfo
}

/** Whether a backend is the wasm backend, on a machine that has vectors. */
export const isWasm = (backend: KernelBackend): backend is WasmBackend =>
  'dataIdMap' in backend &&
  backend.dataIdMap instanceof DataStorage &&
  'wasm' in backend &&
  wasmSupported()

/** One array of a kernel at one position. */
interface Place {
  readonly array: Tensor
  /** What its new elements are in, if they do not go over the old. */
  readonly output: TensorInfo | undefined
  /** The address of the old elements. */
  readonly from: number
  /** The address of the new ones. */
  readonly to: number
}

/** A small staging buffer, because only the ends of tensors are staged. */
const stagingElements = 512

/** Kernels of @diffgrad/kernels on the memory of the wasm backend. */
export class WasmEngine implements Engine {
  readonly #backend: WasmBackend
  readonly #memory: KernelMemory

  /** The engine of a backend whose memory can be had. */
  static of(backend: WasmBackend): WasmEngine | undefined {
    const memory = backend.wasm.wasmMemory ?? backend.wasm.asm?.memory
    return memory && new WasmEngine(backend, memory)
  }

  private constructor(backend: WasmBackend, memory: WebAssembly.Memory) {
    this.#backend = backend
    const bytes = KernelMemory.workspaceBytes('float32', stagingElements)
    const workspace = this.#address(backend.makeOutput([bytes / 4], 'float32'))
    this.#memory = new KernelMemory(memory, 'float32', workspace, stagingElements)
  }

  takes(graph: Graph): boolean {
    return this.#memory.supports(graph)
  }

  run(call: Call): void {
    const { graph, lists, coefficients, t, inPlace } = call
    const { reads: read, writes: written } = graph
    // All addresses are had before any view is made: memory may grow, which detaches views.
    const positions = Array.from({ length: positionsOf(call) }, (_, k) =>
      graph.arrays.map((name): Place => {
        const array = lists[name][k]
        const output = written.has(name) && !inPlace(array) ? this.#output(array) : undefined
        const from = this.#address(array)
        return { array, output, from, to: output ? this.#address(output) : from }
      }),
    )
    const bytes = new Uint8Array(this.#memory.memory.buffer)
    for (const places of positions) {
      const { size } = places[0].array
      for (const [i, { from, to }] of places.entries()) {
        if (to !== from && read.has(graph.arrays[i])) bytes.copyWithin(to, from, from + 4 * size)
      }
      const addresses = places.map(({ to }) => to)
      this.#memory.run(graph, addresses, size, coefficients, t)
    }
    for (const { array, output } of positions.flat()) {
      if (output) adopt(this.#backend, array, output)
    }
  }

  #output({ shape }: Tensor): TensorInfo {
    return this.#backend.makeOutput(shape, 'float32')
  }

  #address({ dataId }: TensorInfo): number {
    return this.#backend.dataIdMap.get(dataId).memoryOffset
  }
}
