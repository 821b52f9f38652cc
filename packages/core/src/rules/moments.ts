import type { Arithmetic } from '../arithmetic.ts'

/** The decay rates of the two moving averages of Adam and its descendants. */
export interface MomentHyperparameters {
  /** β₁, the decay rate of the moving average of gradients: in [0, 1). */
  readonly beta1: number
  /** β₂, the decay rate of the moving average of squared gradients: in [0, 1). */
  readonly beta2: number
}

/** An exponential moving average: β·previous + (1 − β)·value. */
export const movingAverage = <T>(
  { add, mul }: Arithmetic<T>,
  previous: T,
  value: T,
  beta: T,
  oneMinusBeta: T,
): T => add(mul(beta, previous), mul(oneMinusBeta, value))

/** m ← β₁m + (1 − β₁)g and v ← β₂v + (1 − β₂)g². */
export const moments = <T>(
  arithmetic: Arithmetic<T>,
  { g, m, v }: { readonly [K in 'g' | 'm' | 'v']: T },
  c: { readonly [K in keyof ReturnType<typeof momentCoefficients>]: T },
): { readonly m: T; readonly v: T } => ({
  m: movingAverage(arithmetic, m, g, c.beta1, c.oneMinusBeta1),
  v: movingAverage(arithmetic, v, arithmetic.square(g), c.beta2, c.oneMinusBeta2),
})

/** The coefficients of `moments`. 1 − β is computed in double precision (docs/rule.md says why). */
export const momentCoefficients = ({
  beta1,
  beta2,
}: MomentHyperparameters): Readonly<
  Record<'beta1' | 'oneMinusBeta1' | 'beta2' | 'oneMinusBeta2', number>
> => ({
  beta1,
  oneMinusBeta1: 1 - beta1,
  beta2,
  oneMinusBeta2: 1 - beta2,
})

/** The bias corrections of m and v at step t: c₁ = 1 − β₁ᵗ and c₂ = 1 − β₂ᵗ. */
export const biasCorrections = (
  { beta1, beta2 }: MomentHyperparameters,
  t: number,
): { readonly c1: number; readonly c2: number } => ({ c1: 1 - beta1 ** t, c2: 1 - beta2 ** t })
