import { describe } from '@diffgrad/core'
import {
  createEngine,
  type GeneratedKernels,
  type KernelEngine,
  type KernelEngineOptions,
  type KernelTier,
} from '@diffgrad/kernels'

/** How an optimizer runs its kernels. */
export interface EngineOptions {
  /**
   * `auto`, the default, is WebAssembly, or JavaScript where WebAssembly is missing or forbidden, or has
   * no memory left.
   * `fastest` also fuses multiplications and additions where the machine can, so that results differ in
   * the last digits between machines. Any other value selects one tier.
   */
  readonly kernel?: 'auto' | 'fastest' | KernelTier | undefined
  /**
   * How many threads share the work on parameter groups of more than 250,000 elements, which must be
   * allocated in shared memory: 1 by default. `auto` is as many as the machine runs at the same time,
   * or 1 where there is no shared memory, or no worker can be started.
   */
  readonly threads?: number | 'auto' | undefined
}

/**
 * Creates the engine for a rule.
 *
 * @param generated - the kernels of the rule that were generated at build time.
 * @throws RangeError if an option is out of range, or the tier cannot run here.
 */
export function selectEngine(
  { name: rule }: { readonly name: string },
  { kernel = 'auto', threads = 1 }: EngineOptions,
  generated: GeneratedKernels | undefined,
): KernelEngine {
  if (threads !== 'auto' && !(Number.isSafeInteger(threads) && threads >= 1)) {
    throw new RangeError(
      `${rule}: threads must be a whole number, at least 1, or auto, but is ${describe(threads)}`,
    )
  }
  const tiers = Object.hasOwn(tiersOf, kernel) ? tiersOf[kernel] : undefined
  if (!tiers) {
    const kernels = Object.keys(tiersOf)
    throw new RangeError(
      `${rule}: kernel must be ${kernels.slice(0, -1).join(', ')} or ${kernels.at(-1)}, but is ${describe(kernel)}`,
    )
  }
  const engine = engineOf(rule, kernel, tiers, { threads, ...(generated && { generated }) })
  const isWasm = engine.tier === 'wasm' || engine.tier === 'wasm-relaxed'
  if (!isWasm && threads !== 'auto' && threads > 1) {
    throw new RangeError(`${rule}: ${threads} threads need WebAssembly`)
  }
  return engine
}

/** The tiers that each value of `kernel` tries, in order. */
const tiersOf: Readonly<Record<NonNullable<EngineOptions['kernel']>, readonly KernelTier[]>> = {
  auto: ['wasm', 'javascript'],
  fastest: ['wasm-relaxed', 'wasm', 'javascript'],
  'wasm-relaxed': ['wasm-relaxed'],
  wasm: ['wasm'],
  javascript: ['javascript'],
  interpreter: ['interpreter'],
}

function engineOf(
  rule: string,
  kernel: string,
  tiers: readonly KernelTier[],
  options: KernelEngineOptions,
): KernelEngine {
  try {
    const withoutGenerated = tiers.map((tier) => (tier === 'javascript' ? 'interpreter' : tier))
    return createEngine(options.generated ? tiers : withoutGenerated, options)
  } catch (error) {
    const reason = error instanceof Error ? error.message : error
    throw new RangeError(`${rule}: kernel ${kernel} cannot run here: ${reason}`, { cause: error })
  }
}
