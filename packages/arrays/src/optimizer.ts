import {
  checkOptions,
  entriesOf,
  type Gradients,
  type Hyperparameters,
  type Inspection,
  type LoadOptions,
  type LoadReport,
  type Named,
  Optimizer,
  type OptimizerOptions,
  type Parameter,
  type PartialOptions,
  type SavedArray,
  type Selector,
  type StateDict,
  type StepOutcome,
  type UpdateRule,
} from '@diffgrad/core'
import {
  type FloatArray,
  type GeneratedKernels,
  generatedTransforms,
  memoryOf,
} from '@diffgrad/kernels'
import { allocatedShape } from './allocate.ts'
import { ArraysBackend, type KernelReport } from './backend.ts'
import { type EngineOptions, selectEngine } from './select-engine.ts'

declare global {
  // As in TypeScript's lib esnext.disposable, for projects without it.
  interface SymbolConstructor {
    readonly dispose: unique symbol
  }
  interface Disposable {
    [Symbol.dispose](): void
  }
}

/** A parameter: its elements, with their shape where it matters, as for gradient centralization. */
export type ParameterLike =
  | FloatArray
  | { readonly values: FloatArray; readonly shape: readonly number[] }

/** Parameters by name: an object, a Map, or any other list of names and parameters. */
export type ParameterSet<Name extends string = string> = Named<ParameterLike, Name>

/** Gradients by the names of their parameters, in the same precision and of the same length. */
export type ArrayGradients<Name extends string = string> = Gradients<FloatArray, Name>

/** The options of an optimizer, and how it runs its kernels. */
export type ArraysOptions<H, Name extends string = string> = OptimizerOptions<H, Name> &
  EngineOptions

/**
 * An optimizer of parameters in typed arrays, which it updates in place, for any update rule.
 *
 * @typeParam Name - the names of the parameters, and `Intermediate` those of the rule's intermediates. See
 * `Optimizer` in @diffgrad/core.
 */
export class ArraysOptimizer<
  H extends Hyperparameters = Hyperparameters,
  Name extends string = string,
  Intermediate extends string = string,
> extends Optimizer<FloatArray, H, SavedArray, Name, Intermediate> {
  readonly #backend: ArraysBackend

  /**
   * @param parameters - Float32Array or Float64Array; states are kept in the same precision.
   * @param generated - kernels of the rule that were generated at build time, for where WebAssembly is
   * forbidden; without them the rule is interpreted there.
   * @throws TypeError naming a parameter that cannot be trained: integers, a frozen array, a detached
   * buffer, a shape of another size, memory shared with another parameter, a name that is taken; or if
   * options are not a plain object.
   * @throws RangeError naming an option that is unknown or out of range.
   */
  constructor(
    rule: UpdateRule<H, string, Intermediate>,
    parameters: ParameterSet<Name>,
    options: ArraysOptions<H, Name> = {},
    generated?: GeneratedKernels,
  ) {
    checkOptions(rule.name, options)
    const { engine, rest } = splitEngine(options)
    const table = generated && { ...generatedTransforms, ...generated }
    const backend = new ArraysBackend(rule.name, selectEngine(rule, engine, table))
    const all = parametersOf<Name>(rule, parameters)
    backend.checkTrainable(all)
    if (Number(engine.threads) > 1 && !all.some(({ value }) => memoryOf(value)?.shared)) {
      throw new RangeError(`${rule.name}: threads need parameters of allocate(…, { shared: true })`)
    }
    super(backend, rule, all, rest)
    this.#backend = backend
  }

  /**
   * Adds parameters. Their own steps start from 1. The time that it takes does not grow with the number of
   * parameters before.
   *
   * @param parameters - as for the constructor, or a list of `{ name, value, shape }`.
   * @param options - options of their own, which override those of all groups. Their schedules start now.
   * @throws TypeError, RangeError as the constructor does. Then nothing has changed.
   */
  override add(
    parameters: ParameterSet | readonly Parameter<FloatArray>[],
    options: PartialOptions<H> = {},
  ): void {
    const added = parametersOf<string>(this.rule, parameters)
    // The constructor has checked those that the base constructor adds.
    if (#backend in this) {
      this.#backend.checkNotDisposed()
      this.#backend.checkTrainable(added)
    }
    super.add(added, options)
  }

  /**
   * Replaces the array of a parameter by another one, of any length, or by itself after its buffer was
   * resized. See `replace` of `Optimizer` in @diffgrad/core. The memory of the old states is used again once
   * all states that were allocated with them are replaced or removed, too.
   *
   * @param mapState - the new elements of each array of its state, such as `m`, `v` or `ema`, from a copy
   * of the old ones.
   */
  override replace(
    parameter: Parameter<FloatArray, Name>,
    mapState: (elements: SavedArray, stateName: string) => SavedArray,
  ): void {
    this.#backend.checkNotDisposed()
    const [replacement] = parametersOf<Name>(this.rule, [parameter])
    this.#backend.checkTrainable([replacement])
    super.replace(replacement, mapState)
  }

  /**
   * Takes one step. See `step` of `Optimizer` in @diffgrad/core.
   *
   * @throws RangeError naming a gradient that shares memory with a parameter or an optimizer state, or a
   * parameter whose buffer was detached or resized. Then nothing has changed.
   */
  override step(gradients: Gradients<FloatArray, Name>): StepOutcome {
    this.#backend.checkNotDisposed()
    this.#backend.checkLengths()
    return super.step(gradients)
  }

  override async stepAsync(gradients: Gradients<FloatArray, Name>): Promise<StepOutcome> {
    this.#backend.checkNotDisposed()
    this.#backend.checkLengths()
    return super.stepAsync(gradients)
  }

  override inspect<N extends Name>(
    gradients: Gradients<FloatArray, N>,
  ): Inspection<SavedArray, N, Intermediate> {
    this.#backend.checkNotDisposed()
    this.#backend.checkLengths()
    return super.inspect(gradients)
  }

  override swapAverage(): void {
    this.#backend.checkNotDisposed()
    this.#backend.checkLengths()
    super.swapAverage()
  }

  override loadStateDict(stateDict: StateDict<SavedArray>, options: LoadOptions = {}): LoadReport {
    this.#backend.checkNotDisposed()
    this.#backend.checkLengths()
    return super.loadStateDict(stateDict, options)
  }

  override set(changes: PartialOptions<H>, parameters?: Selector<Name>): void {
    this.#backend.checkNotDisposed()
    super.set(changes, parameters)
  }

  override report(loss: number): void {
    this.#backend.checkNotDisposed()
    super.report(loss)
  }

  override remove(parameters: Selector<Name>): void {
    this.#backend.checkNotDisposed()
    super.remove(parameters)
  }

  override state(parameter: Name): Readonly<Record<string, FloatArray>> {
    this.#backend.checkNotDisposed()
    return super.state(parameter)
  }

  override stateDict(): StateDict<SavedArray> {
    this.#backend.checkNotDisposed()
    return super.stateDict()
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
   * can use the memory. The parameters stay as they are. From then on, every method that changes the
   * optimizer or uses its states throws an Error: step, inspect, histograms, set, report, add, remove,
   * replace, swapAverage, state, stateDict and loadStateDict. Options, hyperparameters and the number of updates
   * can still be read, and `dispose` can be repeated. The threads of an optimizer that nothing refers to end
   * by themselves, but only some time later.
   */
  dispose(): void {
    this.#backend.dispose()
  }

  /** Disposes of it at the end of a block: `using optimizer = new DiffGrad(parameters)`. */
  [Symbol.dispose](): void {
    this.dispose()
  }
}

function splitEngine<H, Name extends string>({
  kernel,
  threads,
  ...rest
}: ArraysOptions<H, Name>): {
  readonly engine: EngineOptions
  readonly rest: OptimizerOptions<H, Name>
} {
  // Without its engine options, ArraysOptions is OptimizerOptions.
  return { engine: { kernel, threads }, rest: rest as unknown as OptimizerOptions<H, Name> }
}

/** Parameters as a list. Their arrays may be anything, which `checkTrainable` refuses. */
function parametersOf<Name extends string>(
  { name: rule }: { readonly name: string },
  parameters: ParameterSet<Name> | readonly Parameter<FloatArray, Name>[],
): readonly Parameter<FloatArray, Name>[] {
  if (isParameterList(parameters)) {
    return parameters.map(({ name, value, shape }) => withShape(name, value, shape))
  }
  return entriesOf<ParameterLike, Name>(rule, 'parameters', parameters).map(([name, parameter]) => {
    const isShaped = typeof parameter === 'object' && parameter !== null && 'shape' in parameter
    return isShaped
      ? withShape(name, parameter.values, parameter.shape)
      : withShape(name, parameter, undefined)
  })
}

const withShape = <Name extends string>(
  name: Name,
  value: FloatArray,
  shape: readonly number[] | undefined,
): Parameter<FloatArray, Name> => ({ name, value, shape: shape ?? allocatedShape(value) })

const isParameterList = <Name extends string>(
  parameters: ParameterSet<Name> | readonly Parameter<FloatArray, Name>[],
): parameters is readonly Parameter<FloatArray, Name>[] =>
  Array.isArray(parameters) &&
  parameters.every((parameter) => typeof Object(parameter).name === 'string')
