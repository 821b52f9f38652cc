import type { Arithmetic } from '../arithmetic.ts'
import type { Values } from '../kernel.ts'

/** The smallest share of agreeing elements that scales a step: below, the step is 1,000 times its part. */
const smallestShare = 1e-3

/**
 * Whether a step moves an element against its gradient g, as descent does: 1 or 0. Both signs are compared, since
 * their product may underflow.
 */
export const agreement = <T>({ mul, max, sign, constant }: Arithmetic<T>, step: T, g: T): T =>
  max(mul(sign(step), sign(g)), constant(0))

/**
 * The factor of the agreeing elements of a step: 1 / (their share of the parameter), so that a step keeps its size on
 * average; at most 1,000.
 *
 * @see Liang et al., "Cautious Optimizers: Improving Training with One Line of Code", arXiv:2411.16085; the bound is
 * that of github.com/kyleliang919/C-Optim, c_adamw.py.
 */
export const cautiousSums = {
  names: ['agreeing', 'disagreeing'],
  dependents: ['cautiousScale'],
  coefficients<T>(
    { constant, add, div, max }: Arithmetic<T>,
    { agreeing, disagreeing }: Values<T>,
  ): Values<T> {
    const share = div(agreeing, add(agreeing, disagreeing))
    return { cautiousScale: div(constant(1), max(share, constant(smallestShare))) }
  },
} as const
