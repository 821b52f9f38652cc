import {
  availableThreads,
  createEngine,
  type GeneratedKernels,
  type KernelEngine,
  type KernelTier,
  wasmSupported,
} from '@diffgrad/kernels'

/** How an optimizer runs its kernels. */
export interface EngineOptions {
  /**
   * `auto`, the default, is WebAssembly, or JavaScript where a content security policy forbids it.
   * `fastest` also fuses multiplications and additions where the machine can, so that results differ in
   * the last digits between machines. Any other value selects one tier.
   */
  readonly kernel?: 'auto' | 'fastest' | KernelTier
  /**
   * How many threads share the work on parameter groups of more than 250,000 elements, which must be
   * allocated in shared memory: 1 by default. `auto` is as many as the machine runs at the same time,
   * or 1 where there is no shared memory.
   */
  readonly threads?: number | 'auto'
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
      `${rule}: threads must be a whole number, at least 1, or auto, but is ${threads}`,
    )
  }
  const tier = selectTier(rule, kernel)
  if (tier === 'wasm' || tier === 'wasm-relaxed') {
    return createEngine(tier, { threads: threads === 'auto' ? availableThreads() : threads })
  }
  if (threads !== 'auto' && threads > 1) {
    throw new RangeError(`${rule}: ${threads} threads need WebAssembly`)
  }
  return tier === 'javascript' && generated
    ? createEngine('javascript', { generated })
    : createEngine('interpreter')
}

function selectTier(rule: string, kernel: NonNullable<EngineOptions['kernel']>): KernelTier {
  switch (kernel) {
    case 'auto':
      return wasmSupported() ? 'wasm' : 'javascript'
    case 'fastest':
      return wasmSupported(true) ? 'wasm-relaxed' : selectTier(rule, 'auto')
    case 'wasm':
    case 'wasm-relaxed':
      if (wasmSupported(kernel === 'wasm-relaxed')) return kernel
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
