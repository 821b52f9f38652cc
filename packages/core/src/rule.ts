import type { Arithmetic } from './arithmetic.ts'
import type { Range } from './ranges.ts'
import type { Schedule } from './schedules/schedule.ts'
import type { Surroundings } from './surroundings.ts'

/** The hyperparameters that every rule has. */
export interface CommonOptions {
  /** α, how far a step goes: at least 0. */
  readonly learningRate: number
  /** λ, how strongly parameters are pulled towards zero: at least 0. */
  readonly weightDecay: number
  /** `l2` adds λθ to the gradient; `decoupled` subtracts αλθ from the parameter, as AdamW does. */
  readonly decay: 'l2' | 'decoupled'
}

/** The hyperparameters that may follow a schedule: α, λ and the momentum, by either of its names. */
export type Schedulable = 'learningRate' | 'weightDecay' | 'beta1' | 'momentum'

/** All `Schedulable`. */
export const schedulable: ReadonlySet<string> = new Set<Schedulable>([
  'learningRate',
  'weightDecay',
  'beta1',
  'momentum',
])

/** Hyperparameters as a user gives them: some may be schedules. Plain JSON. */
export type Settings<O> = {
  readonly [K in keyof O]: K extends Schedulable ? O[K] | Schedule : O[K]
}

/** What decides the shape of a rule's equations at a step; everything else in them is a number. */
export type Form = Readonly<Record<string, string | number | boolean>>

/** A parameter, its gradient, and what the rule remembers of the parameter. All start at zero. */
export type Operands<T, Slot extends string> = { readonly [K in 'theta' | 'g' | Slot]: T }

/**
 * The outcome of a rule: `step` is what will be subtracted from the parameter (undefined: nothing
 * moves, not even by decay); the rest is the new memory, and named inner values such as ξ.
 */
export type Outcome<T, Name extends string> = { readonly step: T | undefined } & {
  readonly [K in Name]: T
}

/**
 * An optimizer's mathematics, and nothing else. Weight decay is not part of it: every rule has it,
 * in both kinds, in the same way.
 */
export interface UpdateRule<
  O extends CommonOptions = CommonOptions,
  Slot extends string = string,
  Inner extends string = string,
  Coefficient extends string = string,
  F extends Form = Form,
> {
  /** What error messages and saved states call it. */
  readonly name: string
  readonly defaults: O
  /** Ranges of the options that are not in `ranges`, by name. */
  readonly ranges?: Readonly<Record<string, Range>>
  /** Why settings do not go together that are each in range, if they do not. */
  conflict?(settings: Settings<O>): string | undefined
  /** What is remembered of each parameter from one step to the next. */
  slots(settings: Settings<O>): readonly Slot[]
  /** The values inside the rule that `inspect` can show. */
  readonly inner?: readonly Inner[]
  /** What the optimizer does around the rule, unless it is told otherwise. */
  readonly around?: Partial<Surroundings>
  /** The shape of the equations at step t, counted from 1. Without it, there is only one. */
  form?(settings: Settings<O>, t: number): F
  /** The scalars of step t, in double precision. */
  coefficients(options: O, t: number): Readonly<Record<Coefficient, number>>
  /** One step of one parameter. */
  update<T>(
    arithmetic: Arithmetic<T>,
    operands: Operands<T, Slot>,
    coefficients: { readonly [K in Coefficient]: T },
    form: F,
  ): Outcome<T, NoInfer<Slot | Inner>>
}

/** Names that the optimizer itself needs beside a rule's slots and inner values. */
const reserved = new Set([
  'theta',
  'g',
  'step',
  'gradient',
  'slow',
  'average',
  'effectiveStep',
  'weightDecay',
  'decayStep',
])

/**
 * Declares an update rule, with the types of its slots and coefficients inferred.
 *
 * @throws TypeError if a slot, an inner value or a coefficient has a name that the optimizer needs for
 * itself, or two of the rule's values have the same name.
 */
export function defineRule<
  O extends CommonOptions,
  const Slot extends string,
  Coefficient extends string,
  const Inner extends string = never,
  F extends Form = Form,
>(rule: UpdateRule<O, Slot, Inner, Coefficient, F>): UpdateRule<O> {
  const defaults = rule.defaults as Settings<O> // Options without a schedule are settings.
  const values = [...rule.slots(defaults), ...(rule.inner ?? [])]
  const coefficients = Object.keys(rule.coefficients(rule.defaults, 1))
  const taken = [...values, ...coefficients].find((name) => reserved.has(name))
  if (taken !== undefined) throw new TypeError(`${rule.name}: the name ${taken} is reserved`)
  const twice = values.find((name, i) => values.indexOf(name) !== i)
  if (twice !== undefined) throw new TypeError(`${rule.name}: two values are called ${twice}`)
  return rule
}
