import {
  type CommonOptions,
  type Gradients,
  Optimizer,
  type OptimizerOptions,
  type Parameter,
  type UpdateRule,
} from '@diffgrad/core'
import { ArraysBackend } from './backend.ts'
import { type Floats, overlapping, untrainable } from './floats.ts'
import { surroundingsLoops } from './generated/surroundings.ts'
import type { LoopTable } from './loop.ts'

/** A parameter: its elements, with their shape where it matters, as for gradient centralization. */
export type ParameterLike = Floats | { readonly values: Floats; readonly shape: readonly number[] }

/** Parameters by name: an object, a Map, or any other list of names and parameters. */
export type Parameters =
  | Readonly<Record<string, ParameterLike>>
  | Iterable<readonly [name: string, parameter: ParameterLike]>

/** Gradients by the names of their parameters, in the same precision and of the same length. */
export type ArrayGradients = Gradients<Floats>

/** An optimizer of parameters in typed arrays, which it updates in place, for any update rule. */
export class ArraysOptimizer<O extends CommonOptions = CommonOptions> extends Optimizer<Floats, O> {
  /**
   * @param parameters - Float32Array or Float64Array; memory is kept in the same precision.
   * @param loops - kernels of the rule that were made at build time; without them it is interpreted.
   * @throws TypeError naming a parameter that cannot be trained: integers, a frozen array, a detached
   * buffer, a shape of another size, memory shared with another parameter, a name that is taken.
   * @throws RangeError naming an option that is unknown or out of range.
   */
  constructor(
    rule: UpdateRule<O>,
    parameters: Parameters,
    options: OptimizerOptions<O> = {},
    loops: LoopTable = {},
  ) {
    const backend = new ArraysBackend({ ...surroundingsLoops, ...loops })
    super(backend, rule, parametersOf(rule, parameters), options)
  }
}

function parametersOf(
  { name: rule }: { readonly name: string },
  given: Parameters,
): readonly Parameter<Floats>[] {
  const entries = Symbol.iterator in given ? [...given] : Object.entries(given)
  const parameters = entries.map(([name, parameter]) => {
    const shaped = typeof parameter === 'object' && 'shape' in parameter
    const value = shaped ? parameter.values : parameter
    const shape = shaped ? parameter.shape : undefined
    const reason = untrainable(value, shape)
    if (reason) throw new TypeError(`${rule}: the parameter ${name} ${reason}`)
    return { name, value, ...(shape && { shape }) }
  })
  const shared = overlapping(parameters.map(({ name, value }) => [name, value]))
  if (shared && shared[0] !== shared[1]) {
    throw new TypeError(`${rule}: the parameters ${shared[0]} and ${shared[1]} share memory`)
  }
  return parameters
}
