import type { Backend, SavedArray } from './backend.ts'
import type { ParameterGroup } from './groups.ts'
import { completeOptions, hyperparametersAt } from './options.ts'
import { anyFinite, rangeOf } from './ranges.ts'
import type { Hyperparameters, RuleOptions, UpdateRule } from './rule.ts'
import type { LossReport } from './schedules/schedule.ts'
import type { Transforms } from './transforms/transforms.ts'

/** The counters of an optimizer, apart from the state of its parameters. */
interface Counters {
  /** The number of updates: the step of all schedules. */
  readonly updates: number
  /** The number of calls of `step` per update. */
  readonly accumulate: number
  /** The number of calls of `step` accumulated for the next update. */
  readonly accumulated: number
  /** Whether the weights are swapped with their EMA. */
  readonly swapped: boolean
  /** The reported losses, oldest first. */
  readonly reports: readonly LossReport[]
}

/** The saved state of one parameter. */
export interface ParameterState<S = SavedArray> {
  /** The number of its updates. */
  readonly step: number
  /** Its options, with schedules. */
  readonly options: Readonly<Record<string, unknown>>
  /**
   * Its optimizer state: that of the rule, `slow` and `ema` weights, and `gradient` if one is
   * accumulated for the next update.
   */
  readonly state: Readonly<Record<string, S>>
}

/** The state of an optimizer, keyed by parameter name. JSON, except for the typed arrays. */
export interface StateDict<S = SavedArray> extends Counters {
  /** The version of this format. */
  readonly format: 1
  /** The name of the rule. */
  readonly rule: string
  readonly parameters: Readonly<Record<string, ParameterState<S>>>
}

/** Copies the state of all groups into a state dict. */
export function saveState<T, H extends Hyperparameters, S>(
  rule: UpdateRule<H>,
  backend: Backend<T, S>,
  groups: readonly ParameterGroup<T, H>[],
  counters: Counters,
): StateDict<S> {
  const entries = groups.flatMap((group) =>
    group.parameters.map(({ name }, i) => {
      const state = savedNames(group, group.pending[i]).map((stateName) => [
        stateName,
        backend.read(group.state[stateName][i]),
      ])
      const options = JSON.parse(JSON.stringify(group.options))
      return [name, { step: group.steps[i], options, state: Object.fromEntries(state) }]
    }),
  )
  return { format: 1, rule: rule.name, ...counters, parameters: Object.fromEntries(entries) }
}

/**
 * Checks a state dict, then writes its parameters' state into the groups.
 *
 * @throws TypeError naming the first part that does not fit, or RangeError naming an option that is out
 * of range. Then nothing has changed.
 */
export function loadState<T, H extends Hyperparameters, S>(
  rule: UpdateRule<H>,
  backend: Backend<T, S>,
  groups: readonly ParameterGroup<T, H>[],
  transforms: Transforms,
  stateDict: StateDict<S>,
): void {
  const must = (fits: boolean, complaint: string): void => {
    if (!fits) throw new TypeError(`${rule.name}: the state ${complaint}`)
  }
  must(stateDict.format === 1, `has format ${stateDict.format}, but only format 1 is known`)
  must(stateDict.rule === rule.name, `is of ${stateDict.rule}`)
  checkCounters(stateDict, transforms, must)
  const names = groups.flatMap((group) => group.names)
  const saved = Object.keys(stateDict.parameters)
  const missing = names.find((name) => !saved.includes(name))
  const unexpected = saved.find((name) => !names.includes(name))
  must(missing === undefined, `has no parameter ${missing}`)
  must(unexpected === undefined, `has an unexpected parameter ${unexpected}`)

  const checked = groups.map((group) => {
    const states = group.names.map((name) => stateDict.parameters[name])
    const options = checkedOptions(rule, group, states, stateDict, must)
    for (const [i, { state }] of states.entries()) {
      must(
        !('gradient' in state) || stateDict.accumulated > 0,
        `has a gradient of ${group.names[i]}, but no accumulated calls`,
      )
      checkState(backend, group, i, state, must)
    }
    return { group, states, options }
  })
  for (const { group, states, options } of checked) {
    group.options = options
    for (const [i, { step, state }] of states.entries()) {
      group.steps[i] = step
      group.pending[i] = 'gradient' in state
      for (const [name, elements] of Object.entries(state)) {
        backend.write(group.state[name][i], elements)
      }
    }
  }
}

type Must = (fits: boolean, complaint: string) => void

function checkCounters(counters: Counters, { accumulate, ema }: Transforms, must: Must): void {
  const { updates, accumulated, swapped, reports } = counters
  const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0
  must(isCount(updates), `has ${updates} as the number of updates`)
  must(isCount(accumulated), `has ${accumulated} as the number of accumulated calls`)
  must(
    accumulated === 0 || (accumulated < accumulate && counters.accumulate === accumulate),
    `has accumulated ${accumulated} of ${counters.accumulate} calls, but the optimizer accumulates ${accumulate}`,
  )
  must(typeof swapped === 'boolean', `has swapped ${swapped}, which is no boolean`)
  must(!swapped || ema !== false, 'has swapped weights, but the optimizer has no ema')
  must(
    Array.isArray(reports) &&
      reports.every(({ step, loss }) => isCount(step) && anyFinite.includes(loss)),
    'has reports that are no list of { step, loss }',
  )
}

/** The saved options of a group: equal for all its parameters, with the choices of the optimizer. */
function checkedOptions<T, H extends Hyperparameters>(
  rule: UpdateRule<H>,
  group: ParameterGroup<T, H>,
  states: readonly ParameterState<unknown>[],
  { updates, reports }: Counters,
  must: Must,
): RuleOptions<H> {
  const [first] = group.names
  const [saved] = states.map(({ options }) => options)
  for (const [i, { options, step }] of states.entries()) {
    const name = group.names[i]
    must(Number.isSafeInteger(step) && step >= 0, `has ${step} as the step of ${name}`)
    must(typeof options === 'object' && options !== null, `has no options of ${name}`)
    must(
      JSON.stringify(options) === JSON.stringify(saved),
      `has other options for ${name} than for ${first}`,
    )
  }
  const options = completeOptions(rule, saved as Partial<RuleOptions<H>>) // It refuses all others.
  hyperparametersAt(rule, options, updates, reports)
  for (const [option, current] of Object.entries(group.options)) {
    const loaded = options[option as keyof H]
    must(
      rangeOf(rule, option).choices === undefined || current === loaded,
      `has ${option} ${loaded} for ${first}, but the optimizer has ${current}`,
    )
  }
  return options
}

function checkState<T, H extends Hyperparameters, S>(
  backend: Backend<T, S>,
  group: ParameterGroup<T, H>,
  i: number,
  state: ParameterState<S>['state'],
  must: Must,
): void {
  const name = group.names[i]
  const stateNames = savedNames(group, 'gradient' in state)
  must(
    `${stateNames.toSorted()}` === `${Object.keys(state).toSorted()}`,
    `has ${Object.keys(state)} of ${name}, but the optimizer has ${stateNames}`,
  )
  for (const stateName of stateNames) {
    const expected = backend.signature(backend.read(group.state[stateName][i]))
    const actual = backend.signature(state[stateName])
    must(
      actual === expected,
      `has ${actual} as ${stateName} of ${name}, but it must be ${expected}`,
    )
  }
}

/** The names of a parameter's state; `gradient` only while one is pending. */
const savedNames = <T, H extends Hyperparameters>(
  { state }: ParameterGroup<T, H>,
  pending: boolean,
): readonly string[] => Object.keys(state).filter((name) => name !== 'gradient' || pending)
