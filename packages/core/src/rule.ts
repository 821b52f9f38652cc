import type { Arithmetic } from './arithmetic.ts'
import type { OptionRange } from './ranges.ts'
import type { Schedule } from './schedules/schedule.ts'
import { type Transforms, transformState } from './transforms/index.ts'

/** The hyperparameters of every rule, at one step. */
export interface Hyperparameters {
  /** α, the step size: at least 0. */
  readonly learningRate: number
  /** λ, the strength of weight decay: at least 0. */
  readonly weightDecay: number
  /** `l2` adds λθ to the gradient; `decoupled` subtracts αλθ from the parameter, as AdamW does. */
  readonly decay: 'l2' | 'decoupled'
}

/** The hyperparameters that may follow a schedule. `beta1` and `momentum` are the momentum of a rule. */
export type Schedulable = 'learningRate' | 'weightDecay' | 'beta1' | 'momentum'

/** All `Schedulable`. */
export const schedulable: ReadonlySet<string> = new Set<Schedulable>([
  'learningRate',
  'weightDecay',
  'beta1',
  'momentum',
])

/** Hyperparameters as a user passes them: some may be schedules. Plain JSON. */
export type RuleOptions<H> = {
  readonly [K in keyof H]: K extends Schedulable ? H[K] | Schedule : H[K]
}

/** Some options of a rule. Those that are undefined count as omitted. */
export type PartialOptions<H> = {
  readonly [K in keyof RuleOptions<H>]?: RuleOptions<H>[K] | undefined
}

/** The choices that select the equations of a rule at a step, such as the version of ξ. */
export type RuleVariant = Readonly<Record<string, string | number | boolean>>

/** A parameter θ, its gradient g, and its optimizer state, which starts at zero. */
export type RuleInputs<T, State extends string> = { readonly [K in 'theta' | 'g' | State]: T }

/**
 * The results of a rule. `step` is subtracted from the parameter; undefined leaves the parameter as it
 * is, without weight decay. The others are the new state and the intermediates.
 */
export type RuleOutputs<T, Name extends string> = { readonly step: T | undefined } & {
  readonly [K in Name]: T
}

/** The equations of an optimizer. Weight decay is not part of a rule: it is the same for all of them. */
export interface UpdateRule<
  H extends Hyperparameters = Hyperparameters,
  State extends string = string,
  Intermediate extends string = string,
  Coefficient extends string = string,
  Variant extends RuleVariant = RuleVariant,
> {
  /** The name in error messages and state dicts. */
  readonly name: string
  readonly defaults: H
  /** The ranges of the hyperparameters that only this rule has. */
  readonly ranges?: Readonly<Record<string, OptionRange>>
  /** The reason why options that are each in range do not work together, or undefined if they do. */
  conflict?(options: RuleOptions<H>): string | undefined
  /** The names of the optimizer state of each parameter. */
  stateNames(options: RuleOptions<H>): readonly State[]
  /** The names of the intermediate values that `inspect` shows. */
  readonly intermediates?: readonly Intermediate[]
  /** The transforms that are on by default. */
  readonly transforms?: Partial<Transforms>
  /** The variant of the equations at step t, counted from 1. A rule without variants omits it. */
  variant?(options: RuleOptions<H>, t: number): Variant
  /** The scalars of step t, in double precision. */
  coefficients(hyperparameters: H, t: number): Readonly<Record<Coefficient, number>>
  /** One step of one parameter. */
  update<T>(
    arithmetic: Arithmetic<T>,
    inputs: RuleInputs<T, State>,
    coefficients: { readonly [K in Coefficient]: T },
    variant: Variant,
  ): RuleOutputs<T, NoInfer<State | Intermediate>>
}

/** The names of arrays and coefficients that every update has beside those of the rule. */
const reserved: ReadonlySet<string> = new Set([
  'theta',
  'g',
  'step',
  'effectiveStep',
  'weightDecay',
  'decayStep',
  ...Object.keys(transformState),
])

/**
 * Declares an update rule, with the types of its state and coefficients inferred. Returns a copy whose
 * defaults are frozen.
 *
 * @throws TypeError if a state, an intermediate or a coefficient has a reserved name, or two of the
 * rule's values have the same name.
 */
export function defineRule<
  H extends Hyperparameters,
  const State extends string,
  Coefficient extends string,
  const Intermediate extends string = never,
  Variant extends RuleVariant = RuleVariant,
>(
  rule: UpdateRule<H, State, Intermediate, Coefficient, Variant>,
): UpdateRule<H, State, Intermediate> {
  const options = rule.defaults as RuleOptions<H> // Hyperparameters are options without a schedule.
  const values = [...rule.stateNames(options), ...(rule.intermediates ?? [])]
  const coefficients = Object.keys(rule.coefficients(rule.defaults, 1))
  const taken = [...values, ...coefficients].find((name) => reserved.has(name))
  if (taken !== undefined) throw new TypeError(`${rule.name}: the name ${taken} is reserved`)
  const twice = values.find((name, i) => values.indexOf(name) !== i)
  if (twice !== undefined) throw new TypeError(`${rule.name}: two values are called ${twice}`)
  return Object.freeze({ ...rule, defaults: Object.freeze({ ...rule.defaults }) })
}
