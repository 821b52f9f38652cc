import type { Backend, Lists } from './backend.ts'
import type { Partition } from './parameter-groups.ts'
import type { Parameter } from './parameters.ts'
import type { CommonOptions, Settings, UpdateRule } from './rule.ts'
import { coefficientsAt, type RuleKernels, ruleKernels, variantAt } from './rule-kernels.ts'

/** Some parameters of a group, by position, and a gradient for each. */
export interface GroupGradients<T, O extends CommonOptions> {
  readonly group: Group<T, O>
  readonly positions: readonly number[]
  readonly gradients: readonly T[]
}

/** Parameters of a group that have taken part in equally many updates, so that one step fits all. */
export interface SameStepGradients<T, O extends CommonOptions> extends GroupGradients<T, O> {
  /** How many updates that is. */
  readonly step: number
}

/** The equations and scalars of a step. */
export interface Equations extends RuleKernels {
  readonly coefficients: Readonly<Record<string, number>>
}

/** Parameters that share all their settings, with what is remembered of each. */
export class Group<T, O extends CommonOptions> {
  settings: Settings<O>
  readonly parameters: readonly Parameter<T>[]
  readonly names: readonly string[]
  readonly theta: readonly T[]
  /** For each slot of the rule, and each need of its surroundings, one array a parameter. */
  readonly memory: Lists<T>
  /** How many updates each parameter took part in. */
  readonly steps: number[]
  /** Which parameters have a gradient in `memory.gradient` that waits for the update. */
  readonly waiting: boolean[]
  readonly #rule: UpdateRule<O>
  readonly #kernels = new Map<string, RuleKernels>()

  constructor(
    backend: Backend<T, unknown>,
    rule: UpdateRule<O>,
    { settings, parameters }: Partition<T, O>,
    needs: readonly string[],
  ) {
    this.settings = settings
    this.parameters = parameters
    this.names = parameters.map(({ name }) => name)
    this.theta = parameters.map(({ value }) => value)
    this.memory = backend.zeros(this.theta, [...rule.slots(settings), ...needs])
    this.steps = parameters.map(() => 0)
    this.waiting = parameters.map(() => false)
    this.#rule = rule
  }

  /** The arrays at some positions. */
  lists(positions: readonly number[], gradients: readonly T[] = []): Lists<T> {
    const lists: Record<string, readonly T[]> = { theta: pick(this.theta, positions), g: gradients }
    for (const [name, list] of Object.entries(this.memory)) lists[name] = pick(list, positions)
    return lists
  }

  /** The kernels and the scalars of step t, counted from 1. */
  kernels(options: O, t: number): Equations {
    const variant = variantAt(this.#rule, this.settings, options, t)
    const key = JSON.stringify(variant)
    const kernels = this.#kernels.get(key) ?? ruleKernels(this.#rule, this.settings, variant)
    this.#kernels.set(key, kernels)
    return { ...kernels, coefficients: coefficientsAt(this.#rule, options, t) }
  }
}

/** The elements at some positions, which are in order and none twice. */
export const pick = <T>(list: readonly T[], positions: readonly number[]): readonly T[] =>
  positions.length === list.length ? list : positions.map((i) => list[i])

/** Splits parameters into those that are at the same step, which the same scalars move. */
export function alike<T, O extends CommonOptions>(
  some: GroupGradients<T, O>,
): readonly SameStepGradients<T, O>[] {
  const { group, positions, gradients } = some
  const [first] = positions
  if (first === undefined) return []
  const step = group.steps[first]
  if (positions.every((i) => group.steps[i] === step)) return [{ ...some, step }]
  return [...new Set(positions.map((i) => group.steps[i]))].map((step) => {
    const at = positions.map((i) => group.steps[i] === step)
    return {
      group,
      positions: positions.filter((_, k) => at[k]),
      gradients: gradients.filter((_, k) => at[k]),
      step,
    }
  })
}
