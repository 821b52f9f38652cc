import type { ArrayLists, Kernel } from '@diffgrad/core'
import type { Floats } from './floats.ts'

/** How kernels run, the fastest first. */
export type KernelTier = 'wasm-relaxed' | 'wasm' | 'javascript' | 'interpreter'

/** What runs an optimizer's kernels. */
export interface KernelReport {
  /**
   * `wasm-relaxed` and `wasm` are WebAssembly with and without fused multiply-adds; `javascript` are
   * loops made at build time; the `interpreter` serves other rules where WebAssembly is forbidden.
   */
  readonly tier: KernelTier
  /** How many threads share the work on large parameter groups. */
  readonly threads: number
  /** Whether parameters are copied to where kernels work, and back. See `allocate`. */
  readonly copies: boolean
}

/** Memory for arrays, and kernels that run over them. */
export interface Engine {
  readonly report: KernelReport
  /** Arrays of zeros for one parameter group. */
  memory(parameters: readonly Floats[], names: readonly string[]): ArrayLists<Floats>
  run(
    kernel: Kernel,
    lists: ArrayLists<Floats>,
    coefficients: Readonly<Record<string, number>>,
    t?: number,
  ): void
  /** Gives back what would otherwise last longer than the optimizer. */
  dispose(): void
}
