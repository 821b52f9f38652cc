import type { Arithmetic } from '../arithmetic.ts'

/** The decay rates of the two running averages that Adam and its descendants keep. */
export interface MomentOptions {
  /** β₁, the share of the running average of gradients that survives a step: in [0, 1). */
  readonly beta1: number
  /** β₂, the same for squared gradients: in [0, 1). */
  readonly beta2: number
}

/** A running average and the share of it that survives a step: β·past + (1 − β)·now. */
export const average = <T>(
  { add, mul }: Arithmetic<T>,
  past: T,
  now: T,
  beta: T,
  oneMinusBeta: T,
): T => add(mul(beta, past), mul(oneMinusBeta, now))

/** m ← β₁m + (1 − β₁)g and v ← β₂v + (1 − β₂)g². */
export const moments = <T>(
  arithmetic: Arithmetic<T>,
  { g, m, v }: { readonly [K in 'g' | 'm' | 'v']: T },
  c: { readonly [K in keyof ReturnType<typeof momentCoefficients>]: T },
): { readonly m: T; readonly v: T } => ({
  m: average(arithmetic, m, g, c.beta1, c.oneMinusBeta1),
  v: average(arithmetic, v, arithmetic.square(g), c.beta2, c.oneMinusBeta2),
})

/** What `moments` needs. 1 − β is taken in double precision: single loses digits of it (docs/rule.md). */
export const momentCoefficients = ({
  beta1,
  beta2,
}: MomentOptions): Readonly<
  Record<'beta1' | 'oneMinusBeta1' | 'beta2' | 'oneMinusBeta2', number>
> => ({
  beta1,
  oneMinusBeta1: 1 - beta1,
  beta2,
  oneMinusBeta2: 1 - beta2,
})

/** c₁ = 1 − β₁ᵗ and c₂ = 1 − β₂ᵗ: how full the averages are, which start at zero, at step t. */
export const biasCorrections = (
  { beta1, beta2 }: MomentOptions,
  t: number,
): { readonly c1: number; readonly c2: number } => ({ c1: 1 - beta1 ** t, c2: 1 - beta2 ** t })
