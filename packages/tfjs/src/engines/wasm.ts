import {
  argumentBytes,
  bind,
  compile,
  compiles,
  flushes,
  padding,
  scalarsAt,
  type WasmKernel,
} from '@diffgrad/arrays/kernels'
import type { Graph } from '@diffgrad/core'
import {
  DataStorage,
  type KernelBackend,
  type Tensor,
  type TensorInfo,
} from '@tensorflow/tfjs-core'
import { adopt, type Call, type Engine, positionsOf, readBy, writtenBy } from './engine.ts'

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
  compiles(false)

/** The most arrays of a kernel for whose addresses, with the coefficients, there is room. */
const mostArrays = 64
const mostCoefficients = 256

/**
 * Kernels of @diffgrad/arrays on the memory of the wasm backend. They take elements by the eight; what
 * is left of a tensor passes over a desk, because another tensor may begin right behind it.
 */
export class WasmEngine implements Engine {
  readonly #backend: WasmBackend
  readonly #memory: WebAssembly.Memory
  readonly #kernels = new WeakMap<Graph, Map<boolean, WasmKernel>>()
  /** Where the arguments are; behind them is the desk. */
  readonly #block: number

  /** The engine of a backend whose memory can be had. */
  static of(backend: WasmBackend): WasmEngine | undefined {
    const memory = backend.wasm.wasmMemory ?? backend.wasm.asm?.memory
    return memory && new WasmEngine(backend, memory)
  }

  private constructor(backend: WasmBackend, memory: WebAssembly.Memory) {
    this.#backend = backend
    this.#memory = memory
    const room = backend.makeOutput([argumentBytes / 4 + mostArrays * padding], 'float32')
    this.#block = backend.dataIdMap.get(room.dataId).memoryOffset
  }

  takes({ arrays, coefficients }: Graph): boolean {
    return arrays.length <= mostArrays && coefficients.length <= mostCoefficients
  }

  run(call: Call): void {
    const { graph, lists, coefficients, t, inPlace } = call
    const { arrays } = graph
    const [read, written] = [readBy(graph), writtenBy(graph)]
    const kernel = this.#kernel(graph, flushes(t))
    const count = positionsOf(call)
    // All are allocated before any view is made: memory may grow, which detaches views.
    const places = Array.from({ length: count }, (_, k) =>
      arrays.map((name) => {
        const array = lists[name][k]
        const output = written.has(name) && !inPlace(array) ? this.#output(array) : undefined
        return { array, output }
      }),
    )
    const { buffer } = this.#memory
    const bytes = new Uint8Array(buffer)
    const pointers = new Uint32Array(buffer, this.#block, arrays.length)
    const scalars = new Float32Array(
      buffer,
      this.#block + scalarsAt(arrays.length),
      graph.coefficients.length,
    )
    scalars.set(graph.coefficients.map((name) => coefficients[name]))
    for (const place of places) {
      const { size } = place[0].array
      const addresses = place.map(({ array, output }, i) => {
        const address = this.#address(array)
        if (!output) return address
        const to = this.#address(output)
        if (read.has(arrays[i])) bytes.copyWithin(to, address, address + 4 * size)
        return to
      })
      const rest = size % padding
      const whole = size - rest
      pointers.set(addresses)
      if (whole > 0) kernel(this.#block, 0, whole)
      if (rest > 0) {
        const desks = addresses.map((_, i) => this.#block + argumentBytes + 4 * padding * i)
        for (const [i, address] of addresses.entries()) {
          const from = address + 4 * whole
          bytes.copyWithin(desks[i], from, from + 4 * rest)
        }
        pointers.set(desks)
        kernel(this.#block, 0, padding)
        for (const [i, address] of addresses.entries()) {
          if (!written.has(arrays[i])) continue
          bytes.copyWithin(address + 4 * whole, desks[i], desks[i] + 4 * rest)
        }
      }
      for (const { array, output } of place) if (output) adopt(this.#backend, array, output)
    }
  }

  #output({ shape }: Tensor): TensorInfo {
    return this.#backend.makeOutput(shape, 'float32')
  }

  #address({ dataId }: TensorInfo): number {
    return this.#backend.dataIdMap.get(dataId).memoryOffset
  }

  #kernel(graph: Graph, flush: boolean): WasmKernel {
    const kernels = this.#kernels.get(graph) ?? new Map<boolean, WasmKernel>()
    this.#kernels.set(graph, kernels)
    const shared = !(this.#memory.buffer instanceof ArrayBuffer)
    const form = { dtype: 'float32', relaxed: false, shared, flush } as const
    const kernel = kernels.get(flush) ?? bind(compile(graph, form).module, this.#memory)
    kernels.set(flush, kernel)
    return kernel
  }
}
