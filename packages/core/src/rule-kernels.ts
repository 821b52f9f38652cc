import type { Arithmetic } from './arithmetic.ts'
import type { Kernel, Values } from './kernel.ts'
import type { CommonOptions, Form, Outcome, Settings, UpdateRule } from './rule.ts'

/** A rule's equations at one step, as kernels, with the scalars of that step. */
export interface RuleKernels {
  /** Moves the parameter and its memory. */
  readonly update: Kernel
  /** Moves nothing; writes the rule's inner values, and `effectiveStep`, decay not included. */
  readonly inspect: Kernel
}

/** What decides which kernels a step needs: equal keys, equal kernels of the same rule. */
export interface Variant {
  readonly form: Form
  readonly decay: 'none' | CommonOptions['decay']
}

/** The variant of a rule's equations at step t, counted from 1. */
export const variantAt = <O extends CommonOptions>(
  rule: UpdateRule<O>,
  settings: Settings<O>,
  options: O,
  t: number,
): Variant => ({
  form: rule.form?.(settings, t) ?? {},
  decay: options.weightDecay === 0 ? 'none' : options.decay,
})

/** The scalars of step t: the rule's own, and those of weight decay. */
export const coefficientsAt = <O extends CommonOptions>(
  rule: UpdateRule<O>,
  options: O,
  t: number,
): Readonly<Record<string, number>> => ({
  ...rule.coefficients(options, t),
  weightDecay: options.weightDecay,
  decayStep: options.learningRate * options.weightDecay,
})

/** The kernels of a rule with weight decay: g ← g + λθ before the rule, or θ ← θ − αλθ. */
export function ruleKernels<O extends CommonOptions>(
  rule: UpdateRule<O>,
  settings: Settings<O>,
  { form, decay }: Variant,
): RuleKernels {
  const slots = rule.slots(settings)
  const own = Object.keys(rule.coefficients(rule.defaults, 1))
  const outcome = <T>(
    arithmetic: Arithmetic<T>,
    { theta, g, ...memory }: Values<T, 'theta' | 'g'>,
    c: Values<T>,
  ): Outcome<T, string> => {
    const { add, mul } = arithmetic
    const decayed = decay === 'l2' ? add(g, mul(c.weightDecay, theta)) : g
    return rule.update(arithmetic, { ...memory, theta, g: decayed }, c, form)
  }
  const shared = {
    name: rule.name,
    reads: ['theta', 'g', ...slots],
    coefficients: decay === 'none' ? own : [...own, decay === 'l2' ? 'weightDecay' : 'decayStep'],
  }
  return {
    update: {
      ...shared,
      writes: ['theta', ...slots],
      evaluate(arithmetic, values, c) {
        const { theta } = values
        const { sub, mul } = arithmetic
        const { step, ...memory } = outcome(arithmetic, values, c)
        if (step === undefined) return { ...memory, theta }
        const decayed = decay === 'decoupled' ? sub(theta, mul(c.decayStep, theta)) : theta
        return { ...memory, theta: sub(decayed, step) }
      },
    },
    inspect: {
      ...shared,
      writes: [...(rule.inner ?? []), 'effectiveStep'],
      evaluate(arithmetic, values, c) {
        const { step, ...rest } = outcome(arithmetic, values, c)
        return { ...rest, effectiveStep: step ?? arithmetic.constant(0) }
      },
    },
  }
}
