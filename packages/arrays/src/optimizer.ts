import {
  entriesOf,
  type Gradients,
  type Hyperparameters,
  type Named,
  Optimizer,
  type OptimizerOptions,
  type Parameter,
  type UpdateRule,
} from '@diffgrad/core'
import {
  type FloatArray,
  type GeneratedKernels,
  generatedTransforms,
  memoryOf,
} from '@diffgrad/kernels'
import { allocatedShape } from './allocate.ts'
import { overlapping, untrainable } from './array-checks.ts'
import { ArraysBackend, type KernelReport } from './backend.ts'
import { type EngineOptions, selectEngine } from './select-engine.ts'

declare global {
  // As in TypeScript's lib esnext.disposable, for projects without it.
  interface SymbolConstructor {
    readonly dispose: unique symbol
  }
}

/** A parameter: its elements, with their shape where it matters, as for gradient centralization. */
export type ParameterLike =
  | FloatArray
  | { readonly values: FloatArray; readonly shape: readonly number[] }

/** Parameters by name: an object, a Map, or any other list of names and parameters. */
export type ParameterSet = Named<ParameterLike>

/** Gradients by the names of their parameters, in the same precision and of the same length. */
export type ArrayGradients = Gradients<FloatArray>

/** The options of an optimizer, and how it runs its kernels. */
export type ArraysOptions<O> = OptimizerOptions<O> & EngineOptions

/** An optimizer of parameters in typed arrays, which it updates in place, for any update rule. */
export class ArraysOptimizer<O extends Hyperparameters = Hyperparameters> extends Optimizer<
  FloatArray,
  O
> {
  readonly #backend: ArraysBackend

  /**
   * @param parameters - Float32Array or Float64Array; states are kept in the same precision.
   * @param generated - kernels of the rule that were generated at build time, for where WebAssembly is
   * forbidden; without them the rule is interpreted there.
   * @throws TypeError naming a parameter that cannot be trained: integers, a frozen array, a detached
   * buffer, a shape of another size, memory shared with another parameter, a name that is taken.
   * @throws RangeError naming an option that is unknown or out of range.
   */
  constructor(
    rule: UpdateRule<O>,
    parameters: ParameterSet,
    options: ArraysOptions<O> = {},
    generated?: GeneratedKernels,
  ) {
    const { engine, rest } = splitEngine(options)
    const table = generated && { ...generatedTransforms, ...generated }
    const backend = new ArraysBackend(rule.name, selectEngine(rule, engine, table))
    const all = parametersOf(rule, parameters)
    if (Number(engine.threads) > 1 && !all.some(({ value }) => memoryOf(value)?.shared)) {
      throw new RangeError(`${rule.name}: threads need parameters of allocate(…, { shared: true })`)
    }
    super(backend, rule, all, rest)
    this.#backend = backend
  }

  /**
   * Adds parameters. See `add` of `Optimizer` in @diffgrad/core.
   *
   * @throws TypeError naming a parameter that cannot be trained, as the constructor does.
   */
  override add(parameters: readonly Parameter<FloatArray>[]): void {
    const all = [...(trainedParameters.get(this) ?? []), ...parameters]
    checkTrainable(this.rule.name, all)
    super.add(parameters)
    trainedParameters.set(this, all)
  }

  /** What runs the kernels: the tier, the threads that have started, and whether arrays are copied. */
  get kernel(): KernelReport {
    return this.#backend.report
  }

  /**
   * Resolves when every thread of the option `threads` has started, or failed to start. Never rejects.
   * Steps before that run on fewer threads, with the same results.
   */
  get ready(): Promise<void> {
    return this.#backend.ready
  }

  /**
   * Ends the threads and frees the states, so that another optimizer of the same allocated parameters
   * can use the memory. The parameters stay as they are; any later call throws an error. The threads of an
   * optimizer that nothing refers to end by themselves, but only some time later.
   */
  dispose(): void {
    this.#backend.dispose()
  }

  /** Disposes of it at the end of a block: `using optimizer = new DiffGrad(parameters)`. */
  [Symbol.dispose](): void {
    this.dispose()
  }
}

function splitEngine<O>({ kernel, threads, ...rest }: ArraysOptions<O>): {
  readonly engine: EngineOptions
  readonly rest: OptimizerOptions<O>
} {
  const engine = {
    ...(kernel !== undefined && { kernel }),
    ...(threads !== undefined && { threads }),
  }
  // Without its engine options, ArraysOptions is OptimizerOptions.
  return { engine, rest: rest as unknown as OptimizerOptions<O> }
}

function parametersOf(
  { name: rule }: { readonly name: string },
  parameters: ParameterSet,
): readonly Parameter<FloatArray>[] {
  const entries = entriesOf(rule, 'parameters', parameters)
  return entries.map(([name, parameter]) => {
    const shaped = typeof parameter === 'object' && parameter !== null && 'shape' in parameter
    const value = shaped ? parameter.values : parameter
    const shape = shaped ? parameter.shape : allocatedShape(parameter)
    return { name, value, ...(shape && { shape }) }
  })
}

/** The parameters of each optimizer. No field, because the base constructor calls `add` before fields exist. */
const trainedParameters = new WeakMap<object, readonly Parameter<FloatArray>[]>()

function checkTrainable(rule: string, parameters: readonly Parameter<FloatArray>[]): void {
  for (const { name, value, shape } of parameters) {
    const reason = untrainable(value, shape)
    if (reason) throw new TypeError(`${rule}: the parameter ${name} ${reason}`)
  }
  const shared = overlapping(parameters.map(({ name, value }) => [name, value]))
  if (shared && shared[0] !== shared[1]) {
    throw new TypeError(`${rule}: the parameters ${shared[0]} and ${shared[1]} share memory`)
  }
}
