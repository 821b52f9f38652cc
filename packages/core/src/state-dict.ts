import type { Backend, SavedArray } from './backend.ts'
import type { ParameterGroup, ParameterGroups, WeightState } from './parameter-group.ts'
import type { Hyperparameters, Scalars, UpdateRule } from './rule.ts'
import { checkedTransforms, type Transforms } from './transforms/index.ts'

/** The number of steps that changed nothing because a gradient was not finite. */
export interface SkippedSteps {
  readonly total: number
  /** Since the last step that was not skipped. */
  readonly consecutive: number
}

/** The counters and the transforms of an optimizer, apart from the state of its parameters. */
export interface OptimizerPosition {
  /** The number of updates: the step of all schedules. */
  readonly updates: number
  /** The number of calls of `step` accumulated for the next update. */
  readonly accumulated: number
  readonly skipped: SkippedSteps
  /** Whether the weights are swapped with their average. */
  readonly swapped: boolean
  readonly transforms: Transforms
}

/** The saved state of one parameter. */
export interface ParameterState<S = SavedArray> {
  /** The name of its rule, if that is not the rule of the state. */
  readonly rule?: string
  /** The number of its updates. */
  readonly step: number
  /** Its scalar state, for rules that have one. */
  readonly scalars?: Scalars
  /** Its options, with schedules. */
  readonly options: Readonly<Record<string, unknown>>
  /**
   * Its optimizer state: that of the rule; `gradient` if one is accumulated for the next update; `slow`
   * and `ema` weights, which without an entry start at the weights before the next update; `training` weights
   * while the evaluation point of the rule is in their place.
   */
  readonly state: Readonly<Record<string, S>>
}

/** The state of an optimizer, keyed by parameter name. JSON, except for the typed arrays. */
export interface StateDict<S = SavedArray> extends Omit<OptimizerPosition, 'skipped'> {
  /** The version of this format. */
  readonly format: 1
  /** The name of the rule. */
  readonly rule: string
  /** Omitted if no step was skipped. */
  readonly skipped?: SkippedSteps | undefined
  readonly parameters: Readonly<Record<string, ParameterState<S>>>
}

/** Copies the state of all groups into a state dict. */
export function saveState<T, H extends Hyperparameters, S>(
  rule: UpdateRule<H>,
  backend: Backend<T, S>,
  groups: ParameterGroups<T, H>,
  { skipped, ...position }: OptimizerPosition,
): StateDict<S> {
  const entries = [...groups].flatMap((group) => {
    const options = JSON.stringify(group.options)
    return group.parameters.map(({ name }, i) => {
      const state = savedNames(group, i).map((stateName) => [
        stateName,
        backend.read(group.state[stateName][i]),
      ])
      const saved: ParameterState<S> = {
        step: group.steps[i],
        ...(group.rule !== rule && { rule: group.rule.name }),
        ...((group.rule.scalars ?? group.rule.sums?.initial) && {
          scalars: { ...group.scalars[i] },
        }),
        options: JSON.parse(options),
        state: Object.fromEntries(state),
      }
      return [name, saved] as const
    })
  })
  const transforms = checkedTransforms(rule.name, position.transforms) // A copy.
  return {
    format: 1,
    rule: rule.name,
    ...position,
    ...(skipped.total > 0 && { skipped: { ...skipped } }),
    transforms,
    parameters: Object.fromEntries(entries),
  }
}

/** The names of the state of a parameter that has a value. */
export const savedNames = <T, H extends Hyperparameters>(
  { state, steps, pending, initialized, startsAsTheta }: ParameterGroup<T, H>,
  i: number,
): readonly string[] =>
  Object.keys(state).filter((name) => {
    if (name === 'gradient') return pending[i]
    if (isWeightState(name)) return initialized[name][i]
    return steps[i] > 0 || !startsAsTheta.includes(name)
  })

const isWeightState = (name: string): name is WeightState => name === 'slow' || name === 'ema'
