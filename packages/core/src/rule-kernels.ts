import { type Arithmetic, numbers } from './arithmetic.ts'
import type { Kernel, SumKernels, Values } from './kernel.ts'
import { memoized } from './memoized.ts'
import { hyperparametersAt } from './options.ts'
import { rangeOf } from './ranges.ts'
import {
  coefficientNames,
  type ElementSums,
  type Hyperparameters,
  initialScalars,
  type RuleInputs,
  type RuleOptions,
  type RuleOutputs,
  type RuleVariant,
  type Scalars,
  type UpdateRule,
} from './rule.ts'
import { agreement, cautiousSums } from './transforms/cautious.ts'
import { trainingWeights } from './transforms/index.ts'

/** The kernels of a rule. */
export interface RuleKernels {
  /**
   * What computes the coefficients that depend on sums, in this order: later sums may need coefficients of earlier
   * ones. Empty for most rules.
   */
  readonly sums: readonly SumKernels[]
  /** Writes the parameter and its optimizer state. */
  readonly update: Kernel
  /** Writes only the intermediates of the rule and `effectiveStep`, which excludes weight decay. */
  readonly inspect: Kernel
}

/** The coefficients of one step, and the scalar state after it. */
export interface StepScalars {
  readonly coefficients: Readonly<Record<string, number>>
  readonly nextScalars: Scalars
}

/** The kernels and the coefficients of one step. */
export interface StepKernels extends RuleKernels, StepScalars {}

/** What selects the kernels of a step: equal variants of the same rule have equal kernels. */
export interface KernelVariant {
  readonly variant: RuleVariant
  readonly decay: 'none' | Hyperparameters['decay']
  /** Whether only elements move whose step agrees with the gradient. */
  readonly cautious?: boolean
}

/** The kernel variant of step t, counted from 1. */
export const kernelVariantAt = <H extends Hyperparameters>(
  rule: UpdateRule<H>,
  options: RuleOptions<H>,
  hyperparameters: H,
  t: number,
  cautious = false,
): KernelVariant => ({
  variant: rule.variant?.(options, t) ?? {},
  decay: hyperparameters.weightDecay === 0 ? 'none' : hyperparameters.decay,
  cautious,
})

/**
 * Replaces θ by the evaluation point of a rule, and writes θ to the array of the training weights; undefined for a
 * rule without one. θ returns by a copy, because the inverse would round.
 */
export const evaluationKernel: (
  rule: Pick<UpdateRule<never>, 'name' | 'evaluationPoint' | 'scalars'>,
) => Kernel | undefined = memoized((rule) => {
  const { name, evaluationPoint } = rule
  return (
    evaluationPoint && {
      name: `evaluation point of ${name}`,
      reads: ['theta', ...evaluationPoint.reads],
      writes: ['theta', trainingWeights],
      coefficients: Object.keys(evaluationPoint.coefficients(initialScalars(rule))),
      evaluate: (arithmetic, values, c) => ({
        theta: evaluationPoint.evaluate(arithmetic, values, c),
        [trainingWeights]: values.theta,
      }),
    }
  )
})

/**
 * The coefficients of step t that depend on no sums, those of the rule and those of weight decay, and the next
 * scalar state.
 *
 * @param scalars - the scalar state before the step.
 */
export function scalarsAt<H extends Hyperparameters>(
  rule: UpdateRule<H>,
  hyperparameters: H,
  t: number,
  scalars: Scalars,
): StepScalars {
  const next = rule.scalars?.next(scalars, hyperparameters, t)
  const nextScalars = next ? { ...scalars, ...next } : scalars
  const { learningRate, weightDecay, decay } = hyperparameters
  const shrinkage = learningRate * weightDecay
  return {
    coefficients: {
      ...rule.coefficients(hyperparameters, t, nextScalars),
      weightDecay,
      decayStep: decay === 'proximal' ? shrinkage / (1 + shrinkage) : shrinkage,
    },
    nextScalars,
  }
}

/** The coefficients and the scalar state of a parameter, completed by its sums. */
export function scalarsWithSums(
  { scalars, state }: SumKernels,
  { coefficients, nextScalars }: StepScalars,
  sums: Scalars,
): StepScalars {
  const values = scalars.evaluate(numbers, sums, { ...coefficients, ...nextScalars })
  const isState = ([name]: readonly [string, number]): boolean => state.includes(name)
  const entries = Object.entries(values)
  const dependents = Object.fromEntries(entries.filter((entry) => !isState(entry)))
  return {
    coefficients: { ...coefficients, ...dependents },
    nextScalars:
      state.length > 0
        ? { ...nextScalars, ...Object.fromEntries(entries.filter(isState)) }
        : nextScalars,
  }
}

/**
 * The kernels and coefficients of step t, counted from 1, if every step has used these options and no
 * loss was reported. Sums over elements count as zero.
 *
 * @throws RangeError naming the first hyperparameter that is out of range.
 */
export function stepKernels<H extends Hyperparameters>(
  rule: UpdateRule<H>,
  options: RuleOptions<H>,
  t: number,
): StepKernels {
  const hyperparameters = hyperparametersAt(rule, options, t - 1)
  let scalars = initialScalars(rule)
  for (let k = 1; rule.scalars && k < t; k++) {
    scalars = {
      ...scalars,
      ...rule.scalars.next(scalars, hyperparametersAt(rule, options, k - 1), k),
    }
  }
  const kernels = ruleKernels(rule, options, kernelVariantAt(rule, options, hyperparameters, t))
  const withoutSums = scalarsAt(rule, hyperparameters, t, scalars)
  const complete = kernels.sums.reduce((so: StepScalars, sums) => {
    const zeros = sums.scalars.reads.map((name) => [name, 0])
    return scalarsWithSums(sums, so, Object.fromEntries(zeros))
  }, withoutSums)
  return { ...kernels, ...complete }
}

/**
 * The kernels of a rule with weight decay: g ← g + λθ before the rule; θ ← θ − αλθ before the step, unless the
 * rule `appliesDecay`; or θ ← θ/(1 + αλ) after it, as θ − αλ/(1 + αλ)·θ, which is accurate in single precision
 * where αλ is small.
 */
export function ruleKernels<H extends Hyperparameters>(
  rule: UpdateRule<H>,
  options: RuleOptions<H>,
  { variant, decay, cautious = false }: KernelVariant,
): RuleKernels {
  const stateNames = rule.stateNames(options)
  const isInside = decay === 'decoupled' && rule.appliesDecay === true
  const withDecay = <T>(
    { add, mul }: Arithmetic<T>,
    values: Values<T, 'theta' | 'g'>,
    c: Values<T>,
  ): RuleInputs<T, string> => {
    const { theta, g } = values
    return decay === 'l2' ? { ...values, g: add(g, mul(c.weightDecay, theta)) } : values
  }
  const evaluateRule = <T>(
    arithmetic: Arithmetic<T>,
    values: Values<T, 'theta' | 'g'>,
    c: Values<T>,
  ): RuleOutputs<T, string> => rule.update(arithmetic, withDecay(arithmetic, values, c), c, variant)
  /** 1 where the step agrees with the gradient, else 0. */
  const agreementOf = <T>(
    arithmetic: Arithmetic<T>,
    values: Values<T, 'theta' | 'g'>,
    c: Values<T>,
    step: T,
  ): T => agreement(arithmetic, step, withDecay(arithmetic, values, c).g)
  /** The rule, with a step of agreeing elements only if the update is cautious. */
  const evaluateStep = <T>(
    arithmetic: Arithmetic<T>,
    values: Values<T, 'theta' | 'g'>,
    c: Values<T>,
  ): RuleOutputs<T, string> => {
    const outputs = evaluateRule(arithmetic, values, c)
    const { step } = outputs
    if (!cautious || step === undefined) return outputs
    const factor = arithmetic.mul(c.cautiousScale, agreementOf(arithmetic, values, c, step))
    return { ...outputs, step: arithmetic.mul(factor, step) }
  }
  const withoutSums = {
    name: rule.name,
    reads: ['theta', 'g', ...stateNames],
    coefficients: [
      ...coefficientNames(rule),
      ...(isInside ? ['weightDecay'] : decayCoefficients[decay]),
    ],
  }
  const { sums } = rule
  const withSums = {
    ...withoutSums,
    coefficients: [...withoutSums.coefficients, ...(sums?.dependents ?? [])],
  }
  const stepping = {
    ...withSums,
    coefficients: [...withSums.coefficients, ...(cautious ? cautiousSums.dependents : [])],
  }
  const ofRule = (one: ElementSums): SumKernels =>
    sumKernels(one, {
      ...withoutSums,
      writes: one.names,
      evaluate: (arithmetic, values, c) =>
        one.evaluate(arithmetic, withDecay(arithmetic, values, c), c, variant),
    })
  const ofAgreement = (): SumKernels =>
    sumKernels(cautiousSums, {
      ...withSums,
      writes: cautiousSums.names,
      evaluate(arithmetic, values, c) {
        const { step } = evaluateRule(arithmetic, values, c)
        const { theta } = values
        const none = arithmetic.sub(theta, theta)
        const agreeing = step === undefined ? none : agreementOf(arithmetic, values, c, step)
        return { agreeing, disagreeing: arithmetic.sub(arithmetic.constant(1), agreeing) }
      },
    })
  return {
    sums: [...(sums ? [ofRule(sums)] : []), ...(cautious ? [ofAgreement()] : [])],
    update: {
      ...stepping,
      writes: ['theta', ...stateNames],
      evaluate(arithmetic, values, c) {
        const { theta } = values
        const { sub, mul } = arithmetic
        const inputs = isInside ? { ...values, decay: mul(c.weightDecay, theta) } : values
        const { step, ...state } = evaluateStep(arithmetic, inputs, c)
        if (step === undefined) return { ...state, theta }
        const shrink = (value: typeof theta): typeof theta => sub(value, mul(c.decayStep, value))
        const moved = sub(decay === 'decoupled' && !isInside ? shrink(theta) : theta, step)
        return { ...state, theta: decay === 'proximal' ? shrink(moved) : moved }
      },
    },
    inspect: {
      ...stepping,
      writes: [...(rule.intermediates ?? []), 'effectiveStep'],
      evaluate(arithmetic, values, c) {
        const { step, ...rest } = evaluateStep(arithmetic, values, c)
        return { ...rest, effectiveStep: step ?? arithmetic.constant(0) }
      },
    },
  }
}

/** The kernels of sums, whose values `elements` computes. */
function sumKernels(
  {
    dependents,
    initial = {},
    coefficients,
  }: Pick<ElementSums, 'dependents' | 'initial' | 'coefficients'>,
  elements: Kernel,
): SumKernels {
  const state = Object.keys(initial)
  return {
    elements,
    scalars: {
      name: elements.name,
      reads: elements.writes,
      writes: [...dependents, ...state],
      coefficients: [...elements.coefficients, ...state],
      evaluate: coefficients,
    },
    state,
  }
}

/** The coefficients that each kind of weight decay adds to those of the rule. */
const decayCoefficients = {
  none: [],
  l2: ['weightDecay'],
  decoupled: ['decayStep'],
  proximal: ['decayStep'],
  scaled: [],
} as const

/**
 * The kernels of all variants of a rule, for backends that generate code ahead of time: updates, sums and the
 * evaluation point. Kernels of different variants may have equal graphs.
 */
export function updateKernels<H extends Hyperparameters>(rule: UpdateRule<H>): readonly Kernel[] {
  let combinations = [rule.defaults as RuleOptions<H>] // Hyperparameters are options without a schedule.
  for (const option of Object.keys(rule.defaults)) {
    const values = variantValues(rule, option)
    if (values.length === 0) continue
    combinations = combinations.flatMap((options) =>
      values.map((value) => ({ ...options, [option]: value })),
    )
  }
  const steps = combinations
    .filter((options) => rule.conflict?.(options) === undefined)
    .flatMap((options) =>
      variantSteps.flatMap((t) => {
        const variant = rule.variant?.(options, t) ?? {}
        return kernelDecays(rule).flatMap((decay) => {
          const { update, sums } = ruleKernels(rule, options, { variant, decay })
          return [update, ...sums.map(({ elements }) => elements)]
        })
      }),
    )
  const evaluation = evaluationKernel(rule)
  return evaluation ? [...steps, evaluation] : steps
}

/** No weight decay, and each kind of decay that a rule has. */
const kernelDecays = (rule: Pick<UpdateRule, 'ranges'>): readonly KernelVariant['decay'][] =>
  (['none', 'l2', 'decoupled', 'proximal', 'scaled'] as const).filter(
    (decay) => decay === 'none' || rangeOf(rule, 'decay').includes(decay),
  )

/** Steps that between them have every variant: the first, one of a warm-up phase, and one after it. */
const variantSteps = [1, 2, 1000]

/** Values of an option that between them select every variant. A momentum of 0 is a variant, too. */
const variantValues = <H extends Hyperparameters>(
  rule: UpdateRule<H>,
  option: string,
): readonly (string | number | boolean)[] => {
  if (option === 'decay') return [] // Not an option of the equations: ruleKernels adds it.
  return option === 'momentum' ? [0, 0.9] : (rangeOf(rule, option).choices ?? [])
}
