import type { Backend } from './backend.ts'
import { checkedOptions, completeOptions, shiftSchedules, withOwnFunctions } from './options.ts'
import type { ParameterGroup, ParameterGroups } from './parameter-group.ts'
import { checkedParameters } from './parameters.ts'
import { checkRange, describe, isPlainObject, oneOf, rangeOf } from './ranges.ts'
import {
  type Hyperparameters,
  initialScalars,
  type RuleOptions,
  type Scalars,
  type UpdateRule,
} from './rule.ts'
import type { OptimizerPosition, ParameterState, StateDict } from './state-dict.ts'
import {
  addedStateNames,
  checkedTransforms,
  checkWeightTransforms,
  differingTransforms,
  type Transforms,
  trainingWeights,
} from './transforms/index.ts'

/** How `loadStateDict` treats a state that is not exactly that of the optimizer. */
export interface LoadOptions {
  /**
   * Whether the state must have exactly the parameters of the optimizer; default true. Otherwise only the
   * parameters that fit are loaded, and the others keep their options and their state. Their schedules
   * continue from their current step, whatever the number of updates of the state.
   */
  readonly strict?: boolean | undefined
  /**
   * What happens if the state was saved with other transforms, such as another `clip`: an error naming
   * them (`same`, the default), or the optimizer keeps its own (`keep`) or takes those of the state
   * (`load`). State of transforms that the optimizer does not have is dropped.
   */
  readonly transforms?: 'same' | 'keep' | 'load' | undefined
}

/** What `loadStateDict` did not load; nothing if it is strict. */
export interface LoadReport {
  /** The parameters of the optimizer that the state does not have. */
  readonly missing: readonly string[]
  /** The parameters of the state that the optimizer does not have. */
  readonly unexpected: readonly string[]
  /** The parameters whose state does not fit, with the reason. */
  readonly mismatched: readonly { readonly name: string; readonly reason: string }[]
}

/** A checked state dict, and what loading it changes. */
export interface CheckedState<T, H extends Hyperparameters, S> extends OptimizerPosition {
  /** By how much the number of updates increases, by which the schedules of kept parameters shift. */
  readonly addedUpdates: number
  readonly report: LoadReport
  /** For each group, the parameters to load, by options, and the positions of the others. */
  readonly groups: readonly {
    readonly group: ParameterGroup<T, H>
    readonly loaded: readonly LoadedStates<H, S>[]
    readonly kept: readonly number[]
  }[]
}

/** The optimizer into which a state is loaded. */
interface Target<T, H extends Hyperparameters, S> {
  readonly rule: UpdateRule<H>
  /** The rule, and those of groups. */
  readonly rules: readonly UpdateRule<H>[]
  readonly backend: Backend<T, S>
  readonly groups: ParameterGroups<T, H>
  readonly transforms: Transforms
  readonly updates: number
  /** Whether the weights are swapped with their average. */
  readonly swapped: boolean
}

/**
 * Checks a state dict.
 *
 * @throws TypeError naming the first part that does not fit, or RangeError naming an option that is out
 * of range.
 * @throws Error if a part of the state would be loaded while the weights are swapped with their average.
 */
export function checkState<T, H extends Hyperparameters, S>(
  target: Target<T, H, S>,
  stateDict: StateDict<S>,
  options: LoadOptions,
): CheckedState<T, H, S> {
  const { rule, rules, groups } = target
  const { strict, mode } = checkedLoadOptions(rule, options)
  const must = (fits: boolean, complaint: string): void => {
    if (!fits) throw new TypeError(`${rule.name}: the state ${complaint}`)
  }
  must(isPlainObject(stateDict), `must be a state dict, but is ${describe(stateDict)}`)
  const { format, updates, accumulated, swapped, parameters } = stateDict
  const { skipped = { total: 0, consecutive: 0 } } = stateDict
  must(format === 1, `has format ${describe(format)}, but only format 1 is known`)
  must(stateDict.rule === rule.name, `is of ${stateDict.rule}`)
  must(
    isPlainObject(stateDict.transforms),
    `has ${describe(stateDict.transforms)} as its transforms`,
  )
  const saved = checkedTransforms(`${rule.name}: the state`, stateDict.transforms)
  const transforms = mode === 'load' ? saved : target.transforms
  for (const one of rules) checkWeightTransforms(one, transforms)
  if (mode === 'load') checkedParameters(rule, groups.parameters, transforms, () => false)
  must(isCount(updates), `has ${describe(updates)} as the number of updates`)
  must(isCount(accumulated), `has ${describe(accumulated)} as the number of accumulated calls`)
  must(
    accumulated === 0 ||
      (accumulated < transforms.accumulate && saved.accumulate === transforms.accumulate),
    `has accumulated ${accumulated} of ${saved.accumulate} calls, but the optimizer accumulates ${transforms.accumulate}`,
  )
  must(
    isPlainObject(skipped) && isCount(skipped.total) && isCount(skipped.consecutive),
    `has ${describe(skipped)} as its skipped steps, which must be { total, consecutive }`,
  )
  must(typeof swapped === 'boolean', `has swapped ${describe(swapped)}, which is no boolean`)
  must(
    !swapped || transforms.ema !== false || rules.some((one) => one.evaluationPoint),
    'has swapped weights, but the optimizer has no ema',
  )
  must(isPlainObject(parameters), `has ${describe(parameters)} as its parameters`)

  const entries = new Map(Object.entries(parameters))
  const missing = groups.parameters.map(({ name }) => name).filter((name) => !entries.has(name))
  const unexpected = [...entries.keys()].filter((name) => !groups.has(name))
  const mismatched: { readonly name: string; readonly reason: string }[] = []
  if (strict) {
    must(missing.length === 0, `has no parameter ${missing[0]}`)
    must(unexpected.length === 0, `has an unexpected parameter ${unexpected[0]}`)
  }
  const context = { stateDict, saved, transforms, must }
  const [differing] = mode === 'same' ? differingTransforms(saved, transforms) : []
  if (differing !== undefined) {
    // The choices of the rule first, because the state cannot be loaded with any transforms then.
    for (const group of groups) {
      for (const [i, name] of group.names.entries()) {
        const entry = entries.get(name)
        if (entry !== undefined) checkParameterOptions(group, i, entry, context)
      }
    }
    must(
      false,
      `has ${differing} ${describe(saved[differing])}, but the optimizer has ${describe(transforms[differing])}; choose by transforms: 'keep' or 'load'`,
    )
  }
  const checked = [...groups].map((group) => {
    const loaded = new Map<string, LoadedStates<H, S>>()
    const kept: number[] = []
    for (const [i, name] of group.names.entries()) {
      const entry = entries.get(name)
      try {
        if (entry === undefined) kept.push(i)
        else addTo(loaded, i, checkParameter(target, group, i, entry, context))
      } catch (error) {
        if (strict || !(error instanceof Error)) throw error
        kept.push(i)
        mismatched.push({ name, reason: error.message })
      }
    }
    if (strict && loaded.size > 1) {
      const [first, other] = [...loaded.values()].map(({ states }) => {
        const [position] = states.keys()
        return group.names[position]
      })
      must(false, `has other options for ${other} than for ${first}`)
    }
    return { group, loaded: [...loaded.values()], kept }
  })
  const keepsNone = checked.every(({ kept }) => kept.length === 0)
  if (target.swapped && !keepsNone) {
    throw new Error(
      `${rule.name}: cannot load a part of a state while the weights are swapped with their average`,
    )
  }
  must(
    !swapped || keepsNone,
    'has weights that are swapped with their average, so it cannot be loaded in part',
  )
  return {
    updates,
    addedUpdates: updates - target.updates,
    accumulated,
    skipped: { total: skipped.total, consecutive: skipped.consecutive },
    swapped,
    transforms,
    report: { missing, unexpected, mismatched },
    groups: checked,
  }
}

/** The saved state of one parameter, with complete options. */
interface SavedParameter<H, S> {
  readonly options: RuleOptions<H>
  readonly step: number
  readonly scalars: Scalars
  readonly state: ParameterState<S>['state']
}

/** Saved states by position, of parameters with the same options. */
interface LoadedStates<H, S> {
  readonly options: RuleOptions<H>
  readonly states: Map<number, Omit<SavedParameter<H, S>, 'options'>>
}

function addTo<H, S>(
  loaded: Map<string, LoadedStates<H, S>>,
  i: number,
  { options, ...state }: SavedParameter<H, S>,
): void {
  const key = JSON.stringify(options)
  const same = loaded.get(key) ?? { options, states: new Map() }
  loaded.set(key, same)
  same.states.set(i, state)
}

function checkedLoadOptions(
  rule: { readonly name: string },
  options: LoadOptions,
): { readonly strict: boolean; readonly mode: 'same' | 'keep' | 'load' } {
  const owner = `${rule.name}: loadStateDict`
  if (!isPlainObject(options)) {
    throw new TypeError(
      `${owner}: options must be an object such as { strict: false }, but are ${describe(options)}`,
    )
  }
  const { strict = true, transforms: mode = 'same', ...unknown } = options as LoadOptions
  const [option] = Object.keys(unknown)
  if (option !== undefined) {
    throw new RangeError(`${owner}: has no option ${option}; it has strict, transforms`)
  }
  checkRange(owner, 'strict', strict, oneOf(false, true))
  checkRange(owner, 'transforms', mode, oneOf('same', 'keep', 'load'))
  return { strict, mode }
}

const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && Number(n) >= 0

/** What the checks of one parameter depend on. */
interface LoadContext<S> {
  readonly stateDict: StateDict<S>
  /** The transforms of the state, and those that the optimizer will have. */
  readonly saved: Transforms
  readonly transforms: Transforms
  readonly must: (fits: boolean, complaint: string) => void
}

/** The options of one parameter, with the choices of the optimizer. */
function checkParameterOptions<T, H extends Hyperparameters, S>(
  { rule, names, options: current }: ParameterGroup<T, H>,
  i: number,
  entry: ParameterState<S>,
  { stateDict, must }: LoadContext<S>,
): RuleOptions<H> {
  const name = names[i]
  must(isPlainObject(entry), `has ${describe(entry)} as the parameter ${name}`)
  const { rule: savedRule = stateDict.rule } = entry
  must(
    savedRule === rule.name,
    `has ${describe(savedRule)} as the rule of ${name}, but the optimizer has ${rule.name}`,
  )
  must(isPlainObject(entry.options), `has ${describe(entry.options)} as the options of ${name}`)
  const saved = withOwnFunctions(entry.options, current)
  must(
    saved.missing === undefined,
    `has a function as the ${saved.missing} of ${name}, which is not saved; the optimizer needs it: ${saved.missing}: lambda(…)`,
  )
  // `checkedOptions` refuses all that are no options of the rule.
  const changes = checkedOptions(rule, saved.options as Partial<RuleOptions<H>>)
  const options = completeOptions(rule, [changes], stateDict.updates)
  for (const [option, own] of Object.entries(current)) {
    const loaded = options[option as keyof H]
    must(
      rangeOf(rule, option).choices === undefined || own === loaded,
      `has ${option} ${loaded} for ${name}, but the optimizer has ${own}`,
    )
  }
  return options
}

/** The state of one parameter: that which the optimizer will have, of the type it has. */
function checkParameter<T, H extends Hyperparameters, S>(
  { backend }: Target<T, H, S>,
  group: ParameterGroup<T, H>,
  i: number,
  entry: ParameterState<S>,
  context: LoadContext<S>,
): SavedParameter<H, S> {
  const { stateDict, saved, transforms, must } = context
  const options = checkParameterOptions(group, i, entry, context)
  const name = group.names[i]
  const { step, scalars = {}, state } = entry
  must(isCount(step), `has ${describe(step)} as the step of ${name}`)
  must(
    isPlainObject(scalars) && Object.values(scalars).every(Number.isFinite),
    `has ${describe(scalars)} as the scalars of ${name}, which must be finite numbers`,
  )
  const [scalarNames, ownScalars] = [scalars, initialScalars(group.rule)].map((one) =>
    Object.keys(one),
  )
  must(
    `${scalarNames.toSorted()}` === `${ownScalars.toSorted()}`,
    `has the scalars ${scalarNames.join() || 'none'} of ${name}, but the optimizer has ${ownScalars.join() || 'none'}`,
  )
  must(isPlainObject(state), `has ${describe(state)} as the state of ${name}`)
  must(
    !('gradient' in state) || stateDict.accumulated > 0,
    `has a gradient of ${name}, but no accumulated calls`,
  )
  const { rule } = group
  const swappedNames = rule.evaluationPoint ? [trainingWeights] : saved.ema ? ['ema'] : []
  for (const one of stateDict.swapped ? swappedNames : []) {
    must(one in state, `has weights swapped with their average, but no ${one} of ${name}`)
  }
  const own = addedStateNames(rule, transforms, stateDict.swapped)
  const ruleNames = rule
    .stateNames(group.options)
    .filter((one) => step > 0 || !group.startsAsTheta.includes(one))
  const dropped = addedStateNames(rule, saved, stateDict.swapped).filter(
    (one) => !own.includes(one),
  )
  const kept = Object.keys(state).filter((one) => !dropped.includes(one))
  const expected = [...ruleNames, ...own.filter((one) => one in state)]
  const usual = [...ruleNames, ...own].filter((one) => one !== 'gradient' || one in state)
  must(
    `${expected.toSorted()}` === `${kept.toSorted()}`,
    `has ${kept.join() || 'nothing'} of ${name}, but the optimizer has ${usual.join() || 'nothing'}`,
  )
  if (kept.length > 0) {
    const [sample = group.theta] = Object.values(group.state)
    const required = backend.signature(backend.read(sample[i]))
    for (const stateName of kept) {
      const actual = backend.signature(state[stateName])
      must(
        actual === required,
        `has ${actual} as ${stateName} of ${name}, but it must be ${required}`,
      )
    }
  }
  const loaded = Object.fromEntries(kept.map((one) => [one, state[one]]))
  return { options, step, scalars: { ...scalars }, state: loaded }
}

/**
 * The groups with other transforms, and with their parameters split into those that are loaded, by
 * options, and those that are not. Allocates, but changes nothing.
 */
export function splitGroups<T, H extends Hyperparameters, S>(
  { backend, transforms: before, swapped: wasSwapped }: Target<T, H, S>,
  { groups, transforms, swapped }: CheckedState<T, H, S>,
): {
  readonly replacements: ReadonlyMap<ParameterGroup<T, H>, readonly ParameterGroup<T, H>[]>
  readonly unused: readonly T[]
} {
  const unused: T[] = []
  const replacements = groups.flatMap(({ group, loaded, kept }) => {
    const names = addedStateNames(group.rule, transforms, swapped)
    const own = addedStateNames(group.rule, before, wasSwapped)
    const added = names.filter((name) => !own.includes(name))
    const removed = own.filter((name) => !names.includes(name))
    if (
      added.length === 0 &&
      removed.length === 0 &&
      loaded.length + Number(kept.length > 0) <= 1
    ) {
      return []
    }
    const lists = Object.entries(group.state).filter(([name]) => !removed.includes(name))
    unused.push(...removed.flatMap((name) => group.state[name]))
    const state = {
      ...Object.fromEntries(lists),
      ...(added.length > 0 && backend.zeros(group.theta, added)),
    }
    const whole = group.withState(state)
    const parts = [...loaded.map(({ states }) => [...states.keys()]), kept]
    const split = parts.filter((positions) => positions.length > 0)
    return [[group, split.length === 1 ? [whole] : split.map((at) => whole.select(at))] as const]
  })
  return { replacements: new Map(replacements), unused }
}

/** Writes checked states into the groups, which `splitGroups` may have replaced. */
export function writeStates<T, H extends Hyperparameters, S>(
  backend: Backend<T, S>,
  groups: ParameterGroups<T, H>,
  { groups: checked, addedUpdates }: CheckedState<T, H, S>,
): void {
  for (const { group: before, loaded, kept } of checked) {
    const keptGroups = new Set<ParameterGroup<T, H>>()
    for (const i of kept) {
      const { group, position } = groups.find(before.names[i])
      group.pending[position] = false
      keptGroups.add(group)
    }
    for (const group of keptGroups) group.options = shiftSchedules(group.options, addedUpdates)
    for (const { options, states } of loaded) {
      for (const [i, { step, scalars, state }] of states) {
        const { group, position } = groups.find(before.names[i])
        group.options = options
        group.steps[position] = step
        group.scalars[position] = scalars
        group.pending[position] = 'gradient' in state
        group.initialized.slow[position] = 'slow' in state
        group.initialized.ema[position] = 'ema' in state
        for (const [name, elements] of Object.entries(state)) {
          backend.write(group.state[name][position], elements)
        }
      }
    }
  }
}
