import type { Graph } from '@diffgrad/core'
import { fingerprint } from '../generated-kernels.ts'
import type { ByteArray, Dtype, FloatArray } from '../typed-arrays.ts'
import { flushThresholds, isFlushStep, runningAverages } from './flush.ts'
import { coefficientOffset, kernelBytes, type ModuleVariant, padding } from './loop.ts'
import { instantiate, type KernelFunction } from './module.ts'
import { simdTypes } from './simd.ts'
import { sumKernelBytes } from './sum-loop.ts'

/** A compiled module, and its bytes for the modules of other threads. */
interface Compiled {
  readonly bytes: ByteArray
  readonly module: WebAssembly.Module
}

/** A kernel that was instantiated on a memory. */
interface LoadedKernel {
  readonly run: KernelFunction
  readonly bytes: ByteArray
}

const compiledModules = new Map<string, Compiled>()

/** What a kernel writes: arrays, or sums of what it would write. */
interface KernelKind {
  readonly relaxed: boolean
  readonly flush: boolean
  readonly sums: boolean
}

/** Compiles a graph, each variant once in a process. */
function compile(graph: Graph, variant: ModuleVariant & KernelKind): Compiled {
  const { dtype, relaxed, shared, flush, sums } = variant
  const key = `${fingerprint(graph)} ${dtype} ${relaxed} ${shared} ${flush} ${sums}`
  const known = compiledModules.get(key)
  if (known) return known
  const bytes = sums ? sumKernelBytes(graph, variant) : kernelBytes(graph, variant)
  const compiled = { bytes, module: new WebAssembly.Module(bytes) }
  compiledModules.set(key, compiled)
  return compiled
}

/**
 * Compiles a kernel, with relaxed SIMD if `relaxed`: validation succeeds where a content security policy
 * forbids compilation.
 *
 * @throws Error if kernels cannot run as WebAssembly here.
 */
export function checkWasm(relaxed: boolean): void {
  compile(probe, { dtype: 'float32', relaxed, shared: false, flush: false, sums: false })
}

/** Whether kernels can run as WebAssembly here, with relaxed SIMD if `relaxed`. */
export function wasmSupported(relaxed = false): boolean {
  try {
    checkWasm(relaxed)
    return true
  } catch {
    return false
  }
}

/** y ← x·x + x, which relaxed SIMD computes by one fused instruction. */
const probe: Graph = (() => {
  const x = { op: 'array', name: 'x' } as const
  const square = { op: 'mul', a: x, b: x } as const
  const sum = { op: 'add', a: square, b: x } as const
  return {
    name: 'probe',
    arrays: ['x', 'y'],
    reads: new Set(['x']),
    writes: new Set(['y']),
    coefficients: [],
    nodes: [x, square, sum],
    outputs: [['y', sum]],
  }
})()

/** Bytes of the arguments at the beginning of a workspace. */
const argumentBytes = 4096

/** Default size of the staging buffer, in elements. */
const defaultStagingElements = 65536

/** Threads that share the work of kernels on one memory. The calling thread is one of them. */
export interface KernelPool {
  /** How many threads work, the calling one included. */
  readonly threads: number
  /** Resolves when every other thread has started, failed to start, or was stopped. Never rejects. */
  readonly ready: Promise<void>
  /**
   * Runs a kernel whose arguments lie at an address.
   *
   * @param code - the kernel's module, for the other threads: the same object every time.
   */
  run(kernel: KernelFunction, code: Uint8Array, argumentsAt: number, elements: number): void
  /** Ends the other threads. */
  dispose(): void
}

/**
 * Starts the threads of a shared memory; undefined if none can be started and `threads` is `auto`.
 *
 * @throws Error if a thread cannot be started, unless `threads` is `auto`.
 */
export type StartPool = (
  memory: WebAssembly.Memory,
  threads: number | 'auto',
) => KernelPool | undefined

/** Options of a `KernelMemory`. */
export interface KernelMemoryOptions {
  /** The address of `workspaceBytes` bytes that nothing else uses, aligned to an element; default 0. */
  readonly workspace?: number
  /** The size of the staging buffer, in elements. */
  readonly stagingElements?: number
  /** For a memory that is shared between threads: `startPool` of this package, so that only its users load it. */
  readonly startPool?: StartPool | undefined
}

/** How a kernel runs over padded arrays. */
export interface LaunchOptions {
  /** The step of an update, from 1; 0 for any other kernel. */
  readonly t: number
  /** Whether a product and a sum may be fused and rounded once. */
  readonly relaxed: boolean
  readonly pool?: KernelPool | undefined
}

const memories = new WeakMap<FloatArray, KernelMemory>()

/** Returns the memory of an array that `KernelMemory.array` made. */
export const memoryOf = (array: FloatArray): KernelMemory | undefined => memories.get(array)

/** The arguments of a kernel in a workspace. */
interface ArgumentViews {
  readonly addresses: Uint32Array
  readonly coefficients: FloatArray
}

/**
 * A WebAssembly memory in which kernels run over arrays of one data type. It has a workspace, which
 * holds the arguments of a kernel and a staging buffer.
 */
export class KernelMemory {
  readonly memory: WebAssembly.Memory
  readonly dtype: Dtype
  readonly stagingElements: number
  readonly startPool: StartPool | undefined
  readonly #workspace: number
  readonly #kernels = new WeakMap<Graph, Map<number, LoadedKernel>>()
  #views: ArgumentViews

  /** How many bytes a workspace takes. */
  static workspaceBytes(dtype: Dtype, stagingElements: number = defaultStagingElements): number {
    return argumentBytes + stagingElements * simdTypes[dtype].bytes
  }

  /** How many bytes an array in a memory takes; kernels may read and write its padding. */
  static paddedBytes(dtype: Dtype, length: number): number {
    return paddedLength(length) * simdTypes[dtype].bytes
  }

  constructor(
    memory: WebAssembly.Memory,
    dtype: Dtype,
    {
      workspace = 0,
      stagingElements = defaultStagingElements,
      startPool,
    }: KernelMemoryOptions = {},
  ) {
    this.memory = memory
    this.dtype = dtype
    this.stagingElements = stagingElements
    this.startPool = startPool
    this.#workspace = workspace
    this.#views = this.#argumentViews()
  }

  /** How many bytes an element takes. */
  get elementBytes(): number {
    return simdTypes[this.dtype].bytes
  }

  /** Whether several threads can work on it. */
  get shared(): boolean {
    return !(this.memory.buffer instanceof ArrayBuffer)
  }

  /** Where the staging buffer begins. */
  get staging(): number {
    return this.#workspace + argumentBytes
  }

  /** Makes an array over `paddedBytes` bytes from an address on, which kernels use in place. */
  array(address: number, length: number): FloatArray {
    const array = this.view(address, length)
    memories.set(array, this)
    return array
  }

  /** Views elements from an address on. */
  view(address: number, length: number): FloatArray {
    const TypedArray = this.dtype === 'float32' ? Float32Array : Float64Array
    return new TypedArray(this.memory.buffer, address, length)
  }

  /** Whether the workspace has room for the arguments of a graph's kernel. */
  supports(graph: Graph): boolean {
    const { arrays, coefficients } = graph
    const scalars = coefficients.length + runningAverages(graph).length
    const bytes = coefficientOffset(arrays.length) + scalars * this.elementBytes
    return bytes <= argumentBytes && arrays.length * padding <= this.stagingElements
  }

  /**
   * Runs a kernel over arrays of any length that lie in the memory. Elements beyond the last multiple
   * of the kernel's step are staged, so nothing behind an array is touched.
   *
   * @param addresses - one for each array of the graph, in its order.
   * @param coefficients - by name: all that the graph lists.
   * @param t - the step of an update, from 1; 0 for any other kernel.
   * @throws RangeError if the workspace does not support the graph.
   */
  run(
    graph: Graph,
    addresses: readonly number[],
    elements: number,
    coefficients: Readonly<Record<string, number>>,
    t = 0,
  ): void {
    const options = { t, relaxed: false }
    const scalars = graph.coefficients.map((name) => coefficients[name])
    const rest = elements % padding
    const whole = elements - rest
    if (whole > 0) this.runPadded(graph, addresses, whole, scalars, options)
    if (rest === 0) return
    const bytes = new Uint8Array(this.memory.buffer)
    const restBytes = rest * this.elementBytes
    const ends = addresses.map((address) => address + whole * this.elementBytes)
    const staged = addresses.map((_, i) => this.staging + i * padding * this.elementBytes)
    for (const [i, end] of ends.entries()) bytes.copyWithin(staged[i], end, end + restBytes)
    this.runPadded(graph, staged, padding, scalars, options)
    for (const [i, end] of ends.entries()) {
      if (!graph.writes.has(graph.arrays[i])) continue
      bytes.copyWithin(end, staged[i], staged[i] + restBytes)
    }
  }

  /**
   * Runs a kernel over arrays that are padded to `paddedBytes`, for the engine of this package.
   *
   * @param coefficients - in the order of the graph.
   * @internal
   */
  runPadded(
    graph: Graph,
    addresses: readonly number[],
    elements: number,
    coefficients: readonly number[],
    { t, relaxed, pool }: LaunchOptions,
  ): void {
    const flush = isFlushStep(t)
    const kernel = this.#load(graph, { relaxed, flush, sums: false })
    const views = this.#currentViews()
    views.addresses.set(addresses)
    const scalarsAt = coefficientOffset(addresses.length) / this.elementBytes
    views.coefficients.set(coefficients, scalarsAt)
    if (flush) {
      const thresholds = flushThresholds(graph, this.dtype, coefficients)
      views.coefficients.set(thresholds, scalarsAt + coefficients.length)
    }
    this.#start(kernel, paddedLength(elements), pool)
  }

  /**
   * Sums what a graph would write over arrays of whole blocks or vectors, in double precision.
   *
   * @param addresses - one for each array of the graph; for a written one, where its sums are stored, one for
   * each block of `sumBlock` elements.
   * @param elements - a multiple of `padding`.
   * @internal
   */
  storeSums(
    graph: Graph,
    addresses: readonly number[],
    elements: number,
    coefficients: readonly number[],
    pool: KernelPool | undefined,
  ): void {
    const kernel = this.#load(graph, { relaxed: false, flush: false, sums: true })
    const views = this.#currentViews()
    views.addresses.set(addresses)
    views.coefficients.set(coefficients, coefficientOffset(addresses.length) / this.elementBytes)
    this.#start(kernel, elements, pool)
  }

  #start({ run, bytes }: LoadedKernel, elements: number, pool: KernelPool | undefined): void {
    if (pool) pool.run(run, bytes, this.#workspace, elements)
    else run(this.#workspace, 0, elements)
  }

  /** The views of the arguments. A memory that has grown has another buffer. */
  #currentViews(): ArgumentViews {
    if (this.#views.addresses.buffer !== this.memory.buffer) this.#views = this.#argumentViews()
    return this.#views
  }

  #argumentViews(): ArgumentViews {
    return {
      addresses: new Uint32Array(this.memory.buffer, this.#workspace, argumentBytes / 4),
      coefficients: this.view(this.#workspace, argumentBytes / this.elementBytes),
    }
  }

  #load(graph: Graph, kind: KernelKind): LoadedKernel {
    const kernels = this.#kernels.get(graph) ?? new Map<number, LoadedKernel>()
    const key = Number(kind.relaxed) + 2 * Number(kind.flush) + 4 * Number(kind.sums)
    const known = kernels.get(key)
    if (known) return known
    if (!this.supports(graph)) {
      const { name, arrays, coefficients } = graph
      throw new RangeError(
        `${name}: a kernel of ${arrays.length} arrays and ${coefficients.length} coefficients is too large`,
      )
    }
    const { dtype, shared, memory } = this
    const { bytes, module } = compile(graph, { dtype, shared, ...kind })
    const kernel = { run: instantiate(module, memory), bytes }
    this.#kernels.set(graph, kernels.set(key, kernel))
    return kernel
  }
}

/** The length of an array with its padding. */
export const paddedLength = (length: number): number => padding * Math.ceil(length / padding)
