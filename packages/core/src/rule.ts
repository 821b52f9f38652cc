import type { Arithmetic } from './arithmetic.ts'
import { memoized } from './memoized.ts'
import type { OptionRange, OptionText } from './ranges.ts'
import type { Schedule } from './schedules/schedule.ts'
import { type Transforms, trainingWeights, transformState } from './transforms/index.ts'

/** The hyperparameters of every rule, at one step. */
export interface Hyperparameters {
  /** α, the step size: at least 0. */
  readonly learningRate: number
  /** λ, the strength of weight decay: at least 0. */
  readonly weightDecay: number
  /**
   * `l2` adds λθ to the gradient; `decoupled` subtracts αλθ from the parameter before the step, as AdamW does;
   * `proximal` divides the parameter after the step by 1 + αλ; `scaled` is a part of the rule's own equations, as in
   * LAMB. A rule has those of its range, the first two unless it says otherwise.
   */
  readonly decay: 'l2' | 'decoupled' | 'proximal' | 'scaled'
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

/** Hyperparameters as a user passes them: some may be schedules. Plain JSON, except for a `lambda`. */
export type RuleOptions<H> = {
  readonly [K in keyof H]: K extends Schedulable ? H[K] | Schedule : H[K]
}

/** Some options of a rule. Those that are undefined count as omitted. */
export type PartialOptions<H> = {
  readonly [K in keyof RuleOptions<H>]?: RuleOptions<H>[K] | undefined
}

/** The choices that select the equations of a rule at a step, such as the version of ξ. */
export type RuleVariant = Readonly<Record<string, string | number | boolean>>

/** Numbers of a parameter by name, in double precision: its scalar state, or sums over its elements. */
export type Scalars<Name extends string = string> = Readonly<Record<Name, number>>

/**
 * What the coefficients of a step need of earlier steps, such as a product of all momenta so far: a few numbers
 * of each parameter, kept beside its step count.
 */
export interface ScalarState<H, Scalar extends string = string> {
  /** Before the first step. */
  readonly initial: Scalars<Scalar>
  /** After step t, counted from 1, from the values before it. */
  next(previous: Scalars<Scalar>, hyperparameters: H, t: number): Scalars<Scalar>
}

/**
 * Sums over all elements of each parameter, such as the square of a norm, and what depends on them. They are
 * computed before the update: in double precision on the CPU, in single precision where they stay on a device.
 */
export interface ElementSums<
  State extends string = string,
  Sum extends string = string,
  Coefficient extends string = string,
  Variant extends RuleVariant = RuleVariant,
  Dependent extends string = string,
  Scalar extends string = string,
> {
  readonly names: readonly Sum[]
  /** The values that are summed, of one element. Each is computed from θ, g or the state. */
  evaluate<T>(
    arithmetic: Arithmetic<T>,
    inputs: RuleInputs<T, State>,
    coefficients: { readonly [K in Coefficient]: T },
    variant: Variant,
  ): { readonly [K in Sum]: T }
  /** The names of the coefficients that depend on sums, beside those that the rule computes without. */
  readonly dependents: readonly Dependent[]
  /** The scalar state of each parameter that depends on its sums, before the first step. */
  readonly initial?: Scalars<Scalar>
  /** The dependent coefficients of one parameter, and its next scalar state. */
  coefficients<T>(
    arithmetic: Arithmetic<T>,
    sums: { readonly [K in Sum]: T },
    coefficients: { readonly [K in Coefficient | Scalar]: T },
  ): { readonly [K in NoInfer<Dependent | Scalar>]: T }
}

/**
 * A parameter θ, its gradient g, and its optimizer state, which starts at zero or at θ. `decay` is λθ for a rule
 * that applies decoupled decay itself, and undefined without such a decay.
 */
export type RuleInputs<T, State extends string> = {
  readonly [K in 'theta' | 'g' | State]: T
} & { readonly decay?: T | undefined }

/**
 * The weights to evaluate, for a rule whose parameters are another point: that at which gradients are computed.
 * `swapAverage` puts them in the place of the parameters.
 */
export interface EvaluationPoint<
  State extends string = string,
  Scalar extends string = string,
  Coefficient extends string = string,
> {
  /** The optimizer state that it depends on. */
  readonly reads: readonly State[]
  /** Its coefficients, in double precision, from the scalar state after the last step. */
  coefficients(scalars: Scalars<Scalar>): Readonly<Record<Coefficient, number>>
  /** One element of it. Before the first step of a parameter, when its state is zero, it is θ. */
  evaluate<T>(
    arithmetic: Arithmetic<T>,
    inputs: { readonly [K in 'theta' | State]: T },
    coefficients: { readonly [K in Coefficient]: T },
  ): T
}

/**
 * The results of a rule. `step` is subtracted from the parameter; undefined leaves the parameter as it
 * is, without weight decay. The others are the new state and the intermediates.
 */
export type RuleOutputs<T, Name extends string> = { readonly step: T | undefined } & {
  readonly [K in Name]: T
}

/**
 * The equations of an optimizer. Weight decay is not part of a rule, unless it `appliesDecay`: it is the same for
 * all others.
 */
export interface UpdateRule<
  H extends Hyperparameters = Hyperparameters,
  State extends string = string,
  Intermediate extends string = string,
  Coefficient extends string = string,
  Variant extends RuleVariant = RuleVariant,
  Scalar extends string = string,
  Sum extends string = string,
  Dependent extends string = string,
  SumScalar extends string = string,
> {
  /** The name in error messages and state dicts. */
  readonly name: string
  readonly defaults: H
  /** The ranges and texts of the hyperparameters that few rules have, or that differ from those of other rules. */
  readonly ranges?: Readonly<Record<string, OptionRange & OptionText>>
  /** The reason why options that are each in range do not work together, or undefined if they do. */
  conflict?(options: RuleOptions<H>): string | undefined
  /** The names of the optimizer state of each parameter. */
  stateNames(options: RuleOptions<H>): readonly State[]
  /** The optimizer state that starts at θ, before the first step of each parameter, instead of zero. */
  readonly startsAsTheta?: readonly State[]
  /** The weights to evaluate, if they are not the parameters. Such a rule has neither `ema` nor `lookahead`. */
  readonly evaluationPoint?: EvaluationPoint<State, Scalar>
  /** Whether decoupled weight decay is part of the equations, as `decay` of `RuleInputs`. */
  readonly appliesDecay?: boolean
  /** The names of the intermediate values that `inspect` shows. */
  readonly intermediates?: readonly Intermediate[]
  /** The transforms that are on by default. */
  readonly transforms?: Partial<Transforms>
  /** The variant of the equations at step t, counted from 1. A rule without variants omits it. */
  variant?(options: RuleOptions<H>, t: number): Variant
  /** Sums over each parameter that the coefficients depend on. */
  readonly sums?: ElementSums<State, Sum, Coefficient, Variant, Dependent, SumScalar>
  /** The scalar state of each parameter. A rule whose coefficients depend on t alone omits it. */
  readonly scalars?: ScalarState<H, Scalar>
  /** The coefficients of step t, in double precision, with the scalar state after this step. */
  coefficients(
    hyperparameters: H,
    t: number,
    scalars: Scalars<Scalar>,
  ): Readonly<Record<Coefficient, number>>
  /** One step of one parameter. */
  update<T>(
    arithmetic: Arithmetic<T>,
    inputs: RuleInputs<T, State>,
    coefficients: { readonly [K in Coefficient | Dependent]: T },
    variant: Variant,
  ): RuleOutputs<T, NoInfer<State | Intermediate>>
}

const noScalars: Scalars = {}

/** The parts of a rule that declare scalar state. */
interface WithScalars {
  readonly scalars?: ScalarState<never>
  readonly sums?: Pick<ElementSums, 'initial'>
}

/** The scalar state before the first step: no scalars for most rules. The same object in every call. */
export const initialScalars: (rule: WithScalars) => Scalars = memoized(({ scalars, sums }) =>
  scalars || sums?.initial ? { ...scalars?.initial, ...sums?.initial } : noScalars,
)

/** The names of the coefficients of a rule that depend on no sums. */
export const coefficientNames = <H extends Hyperparameters>(
  rule: UpdateRule<H>,
): readonly string[] => Object.keys(rule.coefficients(rule.defaults, 1, initialScalars(rule)))

/** The names of arrays and coefficients that every update has beside those of the rule. */
const reserved: ReadonlySet<string> = new Set([
  'theta',
  'g',
  'step',
  'effectiveStep',
  'weightDecay',
  'decayStep',
  'cautiousScale',
  'agreeing',
  'disagreeing',
  'decay',
  trainingWeights,
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
  Scalar extends string = never,
  const Sum extends string = never,
  const Dependent extends string = never,
  SumScalar extends string = never,
>(
  rule: UpdateRule<H, State, Intermediate, Coefficient, Variant, Scalar, Sum, Dependent, SumScalar>,
): UpdateRule<H, State, Intermediate> {
  const options = rule.defaults as RuleOptions<H> // Hyperparameters are options without a schedule.
  const values = [
    ...rule.stateNames(options),
    ...(rule.intermediates ?? []),
    ...(rule.sums?.names ?? []),
  ]
  const dependents = rule.sums?.dependents ?? []
  const taken = [...values, ...coefficientNames(rule), ...dependents].find((name) =>
    reserved.has(name),
  )
  if (taken !== undefined) throw new TypeError(`${rule.name}: the name ${taken} is reserved`)
  const twice = values.find((name, i) => values.indexOf(name) !== i)
  if (twice !== undefined) throw new TypeError(`${rule.name}: two values are called ${twice}`)
  return Object.freeze({ ...rule, defaults: Object.freeze({ ...rule.defaults }) })
}
