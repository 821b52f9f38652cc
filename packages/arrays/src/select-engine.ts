import type { Engine, KernelTier } from './engine.ts'
import type { LoopTable } from './loop.ts'
import { Loops } from './loops.ts'
import { availableThreads } from './threads/start.ts'
import { compiles } from './wasm/compile.ts'
import { WasmEngine } from './wasm/engine.ts'

/** What an optimizer is told about how to run. */
export interface EngineOptions {
  /**
   * `auto` is WebAssembly, or JavaScript where a content security policy forbids it. `fastest` also
   * fuses multiplications and additions where the engine can, by which results differ in the last
   * digits between machines. Otherwise the one tier that is named.
   */
  readonly kernel?: 'auto' | 'fastest' | KernelTier
  /**
   * How many threads share the work on parameter groups of more than 250,000 elements, which must be
   * allocated in shared memory. 1 unless told otherwise; `auto` is as many as the machine runs at the
   * same time, where it can be more than one.
   */
  readonly threads?: number | 'auto'
}

/**
 * The engine that was asked for.
 *
 * @param loops - kernels of the rule that were made at build time.
 * @throws RangeError if an option is unknown, or what it asks for cannot run here.
 */
export function chooseEngine(
  { name: rule }: { readonly name: string },
  { kernel = 'auto', threads = 1 }: EngineOptions,
  loops: LoopTable | undefined,
): Engine {
  if (threads !== 'auto' && !(Number.isSafeInteger(threads) && threads >= 1)) {
    throw new RangeError(
      `${rule}: threads must be a whole number, at least 1, or auto, but is ${threads}`,
    )
  }
  const tier = tierOf(rule, kernel)
  switch (tier) {
    case 'wasm':
    case 'wasm-relaxed':
      return new WasmEngine(
        tier === 'wasm-relaxed',
        threads === 'auto' ? availableThreads() : threads,
      )
    default:
      if (threads !== 'auto' && threads > 1) {
        throw new RangeError(`${rule}: ${threads} threads need WebAssembly`)
      }
      return tier === 'javascript' && loops
        ? new Loops('javascript', loops)
        : new Loops('interpreter', {})
  }
}

function tierOf(rule: string, kernel: NonNullable<EngineOptions['kernel']>): KernelTier {
  switch (kernel) {
    case 'auto':
      return compiles(false) ? 'wasm' : 'javascript'
    case 'fastest':
      return compiles(true) ? 'wasm-relaxed' : tierOf(rule, 'auto')
    case 'wasm':
    case 'wasm-relaxed':
      if (compiles(kernel === 'wasm-relaxed')) return kernel
      throw new RangeError(`${rule}: kernel ${kernel} cannot run here`)
    case 'javascript':
    case 'interpreter':
      return kernel
    default:
      throw new RangeError(
        `${rule}: kernel must be auto, fastest, wasm-relaxed, wasm, javascript or interpreter, but is ${kernel}`,
      )
  }
}
