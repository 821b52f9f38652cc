import type { ArrayLists, Kernel } from '@diffgrad/core'
import type { GeneratedKernels } from './generated-kernels.ts'
import { JavaScriptEngine } from './javascript-engine.ts'
import type { FloatArray } from './typed-arrays.ts'
import { WasmEngine } from './wasm-engine.ts'

/**
 * How kernels run, the fastest first. `wasm-relaxed` and `wasm` are WebAssembly with and without fused
 * multiply-adds; `javascript` are kernels generated at build time; the `interpreter` evaluates the graph
 * of any other kernel where WebAssembly is forbidden.
 */
export type KernelTier = 'wasm-relaxed' | 'wasm' | 'javascript' | 'interpreter'

/** Runs kernels over typed arrays. */
export interface KernelEngine {
  readonly tier: KernelTier
  /** How many threads share the work on large arrays, the calling one included. */
  readonly threads: number
  /** Resolves when every thread has started, or failed to. Never rejects. */
  readonly ready: Promise<void>
  /**
   * Starts threads for each shared memory that holds at least 250,000 elements of these arrays.
   *
   * @throws Error if no worker can be started here, unless the number of threads is `auto`.
   */
  startThreads(arrays: readonly FloatArray[]): void
  /**
   * Runs a kernel over the arrays of each position of the lists.
   *
   * @param t - the step of an update, from 1; 0 for any other kernel.
   */
  run(
    kernel: Kernel,
    lists: ArrayLists<FloatArray>,
    coefficients: Readonly<Record<string, number>>,
    t?: number,
  ): void
  /**
   * Sums what a kernel would write over all elements, for each written name and each position of the lists, in double
   * precision and always in the same order, whatever the number of threads. Changes no array. WebAssembly computes
   * what is summed, or its square root if it is a square, in the precision of the arrays.
   */
  sums(
    kernel: Kernel,
    lists: ArrayLists<FloatArray>,
    coefficients: Readonly<Record<string, number>>,
  ): Readonly<Record<string, readonly number[]>>
  /** Ends the threads. */
  dispose(): void
}

/** What an engine needs besides its tier. */
export interface KernelEngineOptions {
  /** The kernels of the tier `javascript`, and those of sums; a kernel that is not among them is interpreted. */
  readonly generated?: GeneratedKernels | undefined
  /**
   * The most threads of a WebAssembly tier: 1 by default. `auto` is as many as the machine runs at the
   * same time, or 1 where no worker can be started.
   */
  readonly threads?: number | 'auto' | undefined
}

/**
 * Creates the engine of a tier, or of the first one of several that can run here.
 *
 * @throws Error of the first tier if none can run: WebAssembly is missing or forbidden, or has no memory
 * left.
 */
export function createEngine(
  tiers: KernelTier | readonly KernelTier[],
  options: KernelEngineOptions = {},
): KernelEngine {
  const [tier, ...others] = [tiers].flat()
  try {
    return engineOf(tier, options)
  } catch (error) {
    for (const other of others) {
      try {
        return engineOf(other, options)
      } catch {}
    }
    throw error
  }
}

function engineOf(
  tier: KernelTier,
  { generated = {}, threads = 1 }: KernelEngineOptions,
): KernelEngine {
  switch (tier) {
    case 'wasm-relaxed':
    case 'wasm':
      return new WasmEngine(tier, threads, generated)
    case 'javascript':
      return new JavaScriptEngine(tier, generated)
    case 'interpreter':
      return new JavaScriptEngine(tier, {})
  }
}
