import {
  Optimizer as CoreOptimizer,
  describe,
  type Hyperparameters,
  isPlainObject,
  type Parameter,
  type ParameterState,
  type PartialOptions,
} from '@diffgrad/core'
import { reshape, type Tensor, util } from '@tensorflow/tfjs-core'
import { dryRunBackend } from './backend.ts'
import type { TensorState } from './serialization.ts'

/**
 * Registers more parameters with an optimizer of core, and restores the saved state of those that have
 * one. These are in groups of their own, because their options come from the state.
 *
 * @param registered - the parameters that the optimizer already has.
 * @param own - options of the added parameters, which override all others.
 * @throws TypeError naming the first thing that does not fit. Then nothing has changed.
 */
export function registerParameters<H extends Hyperparameters>(
  optimizer: CoreOptimizer<Tensor, H, Tensor>,
  registered: readonly Parameter<Tensor>[],
  added: readonly Parameter<Tensor>[],
  saved: TensorState['parameters'],
  own: PartialOptions<H>,
): void {
  const isSaved = ({ name }: Parameter<Tensor>): boolean => Object.hasOwn(saved, name)
  if (!added.some(isSaved)) {
    optimizer.add(added, own)
    return
  }
  const { rule, options } = optimizer
  const position = optimizer.stateDict()
  // A dry run first, because parameters cannot be removed from an optimizer again.
  const dryRun = new CoreOptimizer(dryRunBackend, rule, [], options)
  dryRun.add(registered)
  for (const one of [dryRun, optimizer]) {
    one.add(added.filter(isSaved))
    one.add(
      added.filter((parameter) => !isSaved(parameter)),
      own,
    )
    const { parameters } = one.stateDict()
    one.loadStateDict({ ...position, parameters: { ...parameters, ...saved } })
    if (Object.keys(own).length > 0) one.set(own, Object.keys(saved))
  }
}

/**
 * Checks that a state dict, its parameters and the options of loading are objects, so that they can be
 * read. The optimizer of core checks the rest.
 *
 * @param owner - the name of the rule, for error messages.
 * @throws TypeError naming the first that is not.
 */
export function checkLoad(owner: string, stateDict: unknown, options: unknown): void {
  const refusal = (reason: string): TypeError => new TypeError(`${owner}: ${reason}`)
  if (!isPlainObject(options)) {
    throw refusal(
      `loadStateDict: options must be an object such as { strict: false }, but are ${describe(options)}`,
    )
  }
  if (!isPlainObject(stateDict)) {
    throw refusal(`the state must be a state dict, but is ${describe(stateDict)}`)
  }
  const { parameters } = stateDict
  if (!isPlainObject(parameters)) {
    throw refusal(`the state has ${describe(parameters)} as its parameters`)
  }
  for (const [name, entry] of Object.entries(parameters)) {
    if (!isPlainObject(entry)) {
      throw refusal(`the state has ${describe(entry)} as the parameter ${name}`)
    }
    const { options: own, state } = entry
    if (!isPlainObject(own))
      throw refusal(`the state has ${describe(own)} as the options of ${name}`)
    if (!isPlainObject(state))
      throw refusal(`the state has ${describe(state)} as the state of ${name}`)
  }
}

/** The saved state of a variable, with flat arrays, as other packages save them, in the variable's shape. */
export function reshapeState(
  { state, ...rest }: ParameterState<Tensor>,
  shape: number[],
): ParameterState<Tensor> {
  const tensors = Object.entries(state).map(([slot, tensor]) => {
    const isFlat = tensor.rank === 1 && tensor.size === util.sizeFromShape(shape)
    return [slot, isFlat ? reshape(tensor, shape) : tensor]
  })
  return { ...rest, state: Object.fromEntries(tensors) }
}

/** The name without the suffix that TensorFlow.js appends to a name in use: `kernel` for `kernel_1`. */
const stem = (name: string): string => name.replace(/_\d+$/, '')

/** Names by their stems. */
function byStem(names: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const stems = new Map<string, string[]>()
  for (const name of names) {
    const same = stems.get(stem(name)) ?? []
    stems.set(stem(name), same)
    same.push(name)
  }
  return stems
}

/** Whether TensorFlow.js generated a name from its counter, because the user gave none. */
const isGenerated = (name: string): boolean => /^\d+$/.test(name)

/**
 * Finds the saved parameter of each variable, a different one for each.
 *
 * Equal names match first. The remaining names match up to a suffix `_<number>`, if exactly one on
 * either side has that stem: TensorFlow.js renames the variables of a model that is loaded while another
 * one with the same names exists. If no name given by the user matches and both sides are equally long,
 * they match by position, unless `strict` is false. Variables without a match are left out.
 *
 * @param owner - the name of the rule, for error messages.
 * @throws TypeError if nothing matches, unless `strict` is false.
 */
export function matchNames(
  owner: string,
  variables: readonly string[],
  saved: readonly string[],
  { strict }: { readonly strict: boolean } = { strict: true },
): ReadonlyMap<string, string> {
  if (variables.length === 0) return new Map()
  const savedNames = new Set(saved)
  const equal = new Set(variables.filter((name) => savedNames.has(name)))
  const unmatched = (names: readonly string[]): ReadonlyMap<string, readonly string[]> =>
    byStem(names.filter((name) => !equal.has(name) && !isGenerated(name)))
  const [variablesLeft, savedLeft] = [unmatched(variables), unmatched(saved)]
  const renamed = [...variablesLeft].flatMap(([sameStem, candidates]) => {
    const found = savedLeft.get(sameStem) ?? []
    return candidates.length === 1 && found.length === 1 ? [[candidates[0], found[0]] as const] : []
  })
  const matches = new Map([...[...equal].map((name) => [name, name] as const), ...renamed])
  const isComplete = equal.size === variables.length && equal.size === saved.length
  if (isComplete || [...matches.keys()].some((name) => !isGenerated(name))) return matches
  if (!strict) return new Map()
  if (variables.length === saved.length)
    return new Map(variables.map((name, i) => [name, saved[i]]))
  throw new TypeError(`${owner}: the state is of ${saved}, but the variables are ${variables}`)
}
