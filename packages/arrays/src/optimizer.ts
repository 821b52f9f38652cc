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
import { allocatedShape } from './allocate.ts'
import { ArraysBackend } from './backend.ts'
import type { KernelReport } from './engine.ts'
import { type Floats, overlapping, untrainable } from './floats.ts'
import { surroundingsLoops } from './generated/surroundings.ts'
import type { LoopTable } from './loop.ts'
import { chooseEngine, type EngineOptions } from './select-engine.ts'
import { arenaOf } from './wasm/arena.ts'

/** A parameter: its elements, with their shape where it matters, as for gradient centralization. */
export type ParameterLike = Floats | { readonly values: Floats; readonly shape: readonly number[] }

/** Parameters by name: an object, a Map, or any other list of names and parameters. */
export type ParameterSet = Named<ParameterLike>

/** Gradients by the names of their parameters, in the same precision and of the same length. */
export type ArrayGradients = Gradients<Floats>

/** What an optimizer can be told, and how it is to run. */
export type ArraysOptions<O> = OptimizerOptions<O> & EngineOptions

/** An optimizer of parameters in typed arrays, which it updates in place, for any update rule. */
export class ArraysOptimizer<O extends Hyperparameters = Hyperparameters> extends Optimizer<
  Floats,
  O
> {
  readonly #backend: ArraysBackend

  /**
   * @param parameters - Float32Array or Float64Array; memory is kept in the same precision.
   * @param loops - kernels of the rule that were made at build time; without them it is interpreted.
   * @throws TypeError naming a parameter that cannot be trained: integers, a frozen array, a detached
   * buffer, a shape of another size, memory shared with another parameter, a name that is taken.
   * @throws RangeError naming an option that is unknown or out of range.
   */
  constructor(
    rule: UpdateRule<O>,
    parameters: ParameterSet,
    options: ArraysOptions<O> = {},
    loops?: LoopTable,
  ) {
    const { engine, rest } = splitEngine(options)
    const table = loops && { ...surroundingsLoops, ...loops }
    const backend = new ArraysBackend(chooseEngine(rule, engine, table))
    const all = parametersOf(rule, parameters)
    if (Number(engine.threads) > 1 && !all.some(({ value }) => arenaOf(value)?.shared)) {
      throw new RangeError(`${rule.name}: threads need parameters of allocate(…, { shared: true })`)
    }
    super(backend, rule, all, rest)
    this.#backend = backend
  }

  /**
   * Takes in more parameters. See `add` of `Optimizer` in @diffgrad/core.
   *
   * @throws TypeError naming a parameter that cannot be trained, as the constructor does.
   */
  override add(parameters: readonly Parameter<Floats>[]): void {
    const all = [...(trained.get(this) ?? []), ...parameters]
    checkTrainable(this.rule.name, all)
    super.add(parameters)
    trained.set(this, all)
  }

  /** What runs the kernels. */
  get kernel(): KernelReport {
    return this.#backend.report
  }

  /**
   * Ends the optimizer, so that another one of the same allocated parameters can have its room. The
   * parameters stay as they are; any further use of the optimizer is an error.
   */
  dispose(): void {
    this.#backend.dispose()
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
  // What is left of both kinds of options are those of one kind.
  return { engine, rest: rest as unknown as OptimizerOptions<O> }
}

function parametersOf(
  { name: rule }: { readonly name: string },
  given: ParameterSet,
): readonly Parameter<Floats>[] {
  const entries = entriesOf(rule, 'parameters', given)
  return entries.map(([name, parameter]) => {
    const shaped = typeof parameter === 'object' && parameter !== null && 'shape' in parameter
    const value = shaped ? parameter.values : parameter
    const shape = shaped ? parameter.shape : allocatedShape(parameter)
    return { name, value, ...(shape && { shape }) }
  })
}

/** What each optimizer trains. Not in a field, which would not be there when `add` is first called. */
const trained = new WeakMap<object, readonly Parameter<Floats>[]>()

function checkTrainable(rule: string, parameters: readonly Parameter<Floats>[]): void {
  for (const { name, value, shape } of parameters) {
    const reason = untrainable(value, shape)
    if (reason) throw new TypeError(`${rule}: the parameter ${name} ${reason}`)
  }
  const shared = overlapping(parameters.map(({ name, value }) => [name, value]))
  if (shared && shared[0] !== shared[1]) {
    throw new TypeError(`${rule}: the parameters ${shared[0]} and ${shared[1]} share memory`)
  }
}
