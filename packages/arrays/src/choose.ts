import type { Engine, KernelTier } from './engine.ts'
import type { LoopTable } from './loop.ts'
import { Loops } from './loops.ts'
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
}

/**
 * The engine that was asked for.
 *
 * @param loops - kernels of the rule that were made at build time.
 * @throws RangeError if the tier is unknown, or cannot run here.
 */
export function chooseEngine(
  rule: { readonly name: string },
  { kernel = 'auto' }: EngineOptions,
  loops: LoopTable | undefined,
): Engine {
  switch (kernel) {
    case 'auto':
      return compiles(false) ? new WasmEngine(false) : plain(loops)
    case 'fastest':
      return compiles(true) ? new WasmEngine(true) : chooseEngine(rule, {}, loops)
    case 'wasm':
    case 'wasm-relaxed': {
      const relaxed = kernel === 'wasm-relaxed'
      if (compiles(relaxed)) return new WasmEngine(relaxed)
      throw new RangeError(`${rule.name}: kernel ${kernel} cannot run here`)
    }
    case 'javascript':
      return plain(loops)
    case 'interpreter':
      return new Loops('interpreter', {})
    default:
      throw new RangeError(
        `${rule.name}: kernel must be auto, fastest, wasm-relaxed, wasm, javascript or interpreter, but is ${kernel}`,
      )
  }
}

/** Loops made at build time, or the interpreter for a rule that has none. */
const plain = (loops: LoopTable | undefined): Engine =>
  loops ? new Loops('javascript', loops) : new Loops('interpreter', {})
