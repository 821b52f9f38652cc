import type { Backend, Saved } from './backend.ts'
import type { Group } from './group.ts'
import { anyFinite, rangeOf } from './ranges.ts'
import type { CommonOptions, Settings, UpdateRule } from './rule.ts'
import type { Report } from './schedules/schedule.ts'
import { optionsAt, settingsOf } from './settings.ts'
import type { Surroundings } from './surroundings.ts'

/** Where an optimizer stands, apart from its parameters' memory. */
interface Position {
  /** How many updates were made: the position of all schedules, and of Lookahead. */
  readonly updates: number
  /** How many calls of `step` make an update. */
  readonly accumulate: number
  /** How many calls of `step` wait for an update. */
  readonly accumulated: number
  /** Whether the weights are swapped for their average. */
  readonly swapped: boolean
  readonly reports: readonly Report[]
}

/** What is saved of one parameter. */
export interface ParameterState<S = Saved> {
  /** How many updates it took part in. */
  readonly step: number
  /** Its hyperparameters and schedules. */
  readonly settings: Readonly<Record<string, unknown>>
  /** The rule's slots; `slow` and `average` weights; `gradient`, if one waits for an update. */
  readonly memory: Readonly<Record<string, S>>
}

/** The whole state of an optimizer: JSON but for the typed arrays, keyed by parameter name. */
export interface StateDict<S = Saved> extends Position {
  /** The version of this format. */
  readonly format: 1
  readonly rule: string
  readonly parameters: Readonly<Record<string, ParameterState<S>>>
}

/** Copies everything that an optimizer remembers. */
export function capture<T, O extends CommonOptions, S>(
  rule: UpdateRule<O>,
  backend: Backend<T, S>,
  groups: readonly Group<T, O>[],
  position: Position,
): StateDict<S> {
  const entries = groups.flatMap((group) =>
    group.parameters.map(({ name }, i) => {
      const memory = slotsToSave(group, group.waiting[i]).map((slot) => [
        slot,
        backend.read(group.memory[slot][i]),
      ])
      const settings = JSON.parse(JSON.stringify(group.settings))
      return [name, { step: group.steps[i], settings, memory: Object.fromEntries(memory) }]
    }),
  )
  return { format: 1, rule: rule.name, ...position, parameters: Object.fromEntries(entries) }
}

/**
 * Puts back what `capture` copied, all or nothing.
 *
 * @throws TypeError naming the first thing that does not fit.
 * @throws RangeError naming a setting that is out of range.
 */
export function restore<T, O extends CommonOptions, S>(
  rule: UpdateRule<O>,
  backend: Backend<T, S>,
  groups: readonly Group<T, O>[],
  surroundings: Surroundings,
  state: StateDict<S>,
): void {
  const must = (fits: boolean, complaint: string): void => {
    if (!fits) throw new TypeError(`${rule.name}: the state ${complaint}`)
  }
  must(state.format === 1, `has format ${state.format}, but only format 1 is known`)
  must(state.rule === rule.name, `is of ${state.rule}`)
  checkPosition(state, surroundings, must)
  const names = groups.flatMap(({ parameters }) => parameters.map(({ name }) => name))
  const saved = Object.keys(state.parameters)
  const missing = names.find((name) => !saved.includes(name))
  const surplus = saved.find((name) => !names.includes(name))
  must(missing === undefined, `has no parameter ${missing}`)
  must(surplus === undefined, `has a parameter ${surplus}, which the optimizer has not`)

  const plans = groups.map((group) => {
    const states = group.parameters.map(({ name }) => state.parameters[name])
    const settings = checkedSettings(rule, group, states, state, must)
    for (const [i, { memory }] of states.entries()) {
      const waits = 'gradient' in memory
      must(
        !waits || state.accumulated > 0,
        `has a gradient of ${group.names[i]} that waits for nothing`,
      )
      checkMemory(backend, group, i, memory, must)
    }
    return { group, states, settings }
  })
  for (const { group, states, settings } of plans) {
    group.settings = settings
    for (const [i, { step, memory }] of states.entries()) {
      group.steps[i] = step
      group.waiting[i] = 'gradient' in memory
      for (const [slot, elements] of Object.entries(memory)) {
        backend.write(group.memory[slot][i], elements)
      }
    }
  }
}

type Must = (fits: boolean, complaint: string) => void

function checkPosition(state: Position, surroundings: Surroundings, must: Must): void {
  const { accumulate, averageWeights } = surroundings
  const { updates, accumulated, swapped, reports } = state
  const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0
  must(isCount(updates), `has ${updates} as the number of updates`)
  must(isCount(accumulated), `has ${accumulated} as the number of waiting gradients`)
  must(
    accumulated === 0 || (accumulated < accumulate && state.accumulate === accumulate),
    `waits after ${accumulated} of ${state.accumulate} gradients, but an update takes ${accumulate}`,
  )
  must(typeof swapped === 'boolean', `has ${swapped} for whether weights are averages`)
  must(
    !swapped || averageWeights !== false,
    'has averaged weights, but the optimizer keeps no average',
  )
  must(
    Array.isArray(reports) &&
      reports.every(({ step, loss }) => isCount(step) && anyFinite.holds(loss)),
    'has reports that are none',
  )
}

/** A group's saved settings: the same for all its parameters, with the same choices as now. */
function checkedSettings<T, O extends CommonOptions>(
  rule: UpdateRule<O>,
  group: Group<T, O>,
  states: readonly ParameterState<unknown>[],
  { updates, reports }: Position,
  must: Must,
): Settings<O> {
  const [first] = group.parameters
  const [saved] = states.map(({ settings }) => settings)
  for (const [i, { settings, step }] of states.entries()) {
    const { name } = group.parameters[i]
    must(Number.isSafeInteger(step) && step >= 0, `has ${step} as the step of ${name}`)
    must(typeof settings === 'object' && settings !== null, `has no settings for ${name}`)
    must(
      JSON.stringify(settings) === JSON.stringify(saved),
      `has other settings for ${name} than for ${first.name}`,
    )
  }
  const settings = settingsOf(rule, saved as Partial<Settings<O>>) // It refuses all that are none.
  optionsAt(rule, settings, updates, reports)
  for (const [option, now] of Object.entries(group.settings)) {
    const then = settings[option as keyof O]
    must(
      !rangeOf(option, rule.ranges).choice || now === then,
      `has ${option} ${then} for ${first.name}, but the optimizer has ${now}`,
    )
  }
  return settings
}

function checkMemory<T, O extends CommonOptions, S>(
  backend: Backend<T, S>,
  group: Group<T, O>,
  i: number,
  memory: ParameterState<S>['memory'],
  must: Must,
): void {
  const { name } = group.parameters[i]
  const slots = slotsToSave(group, 'gradient' in memory)
  must(
    `${slots.toSorted()}` === `${Object.keys(memory).toSorted()}`,
    `remembers ${Object.keys(memory)} of ${name}, but the optimizer ${slots}`,
  )
  for (const slot of slots) {
    const should = backend.describe(backend.read(group.memory[slot][i]))
    const is = backend.describe(memory[slot])
    must(is === should, `has ${is} as ${slot} of ${name}, but it must be ${should}`)
  }
}

/** The rule's slots and what the surroundings need; a gradient only while it waits. */
const slotsToSave = <T, O extends CommonOptions>(
  { memory }: Group<T, O>,
  waiting: boolean,
): readonly string[] => Object.keys(memory).filter((slot) => slot !== 'gradient' || waiting)
