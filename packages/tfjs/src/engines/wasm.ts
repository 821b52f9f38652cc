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
  compiles(false)

/** One array of a kernel at one position. */
interface Place {
  readonly array: Tensor
  /** What its new elements are in, if they do not go over the old. */
  readonly output: TensorInfo | undefined
  /** The address of the old elements. */
  readonly from: number
  /** The address of the new ones. */
  readonly to: number
  readonly isRead: boolean
  readonly isWritten: boolean
}

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
    const { reads: read, writes: written } = graph
    const kernel = this.#kernel(graph, flushes(t))
    // All addresses are had before any view is made: memory may grow, which detaches views.
    const places = Array.from({ length: positionsOf(call) }, (_, k) =>
      graph.arrays.map((name): Place => {
        const array = lists[name][k]
        const output = written.has(name) && !inPlace(array) ? this.#output(array) : undefined
        const from = this.#address(array)
        const to = output ? this.#address(output) : from
        return { array, output, from, to, isRead: read.has(name), isWritten: written.has(name) }
      }),
    )
    const scalars = this.#block + scalarsAt(graph.arrays.length)
    new Float32Array(this.#memory.buffer, scalars, graph.coefficients.length).set(
      graph.coefficients.map((name) => coefficients[name]),
    )
    const bytes = new Uint8Array(this.#memory.buffer)
    for (const place of places) this.#compute(kernel, bytes, place)
    for (const { array, output } of places.flat()) {
      if (output) adopt(this.#backend, array, output)
    }
  }

  /** Runs a kernel over one position, whose new data is begun with a copy of the old. */
  #compute(kernel: WasmKernel, bytes: Uint8Array, places: readonly Place[]): void {
    const { size } = places[0].array
    for (const { from, to, isRead } of places) {
      if (isRead && to !== from) bytes.copyWithin(to, from, from + 4 * size)
    }
    const addresses = places.map(({ to }) => to)
    const pointers = new Uint32Array(bytes.buffer, this.#block, places.length)
    const rest = size % padding
    const whole = size - rest
    if (whole > 0) {
      pointers.set(addresses)
      kernel(this.#block, 0, whole)
    }
    if (rest === 0) return
    const desks = places.map((_, i) => this.#block + argumentBytes + 4 * padding * i)
    const ends = addresses.map((address) => address + 4 * whole)
    for (const [i, end] of ends.entries()) bytes.copyWithin(desks[i], end, end + 4 * rest)
    pointers.set(desks)
    kernel(this.#block, 0, padding)
    for (const [i, end] of ends.entries()) {
      if (places[i].isWritten) bytes.copyWithin(end, desks[i], desks[i] + 4 * rest)
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
