import { biasCorrections, type MomentOptions } from './moments.ts'

/** What a rectified rule does while the variance of its step cannot be estimated. */
export interface RectificationOptions {
  /** Whether it takes steps of momentum meanwhile; if not, nothing moves. */
  readonly degenerateToSgd: boolean
}

/** How a rectified rule moves at a step. */
export type Phase = 'rectified' | 'momentum' | 'still'

/** The lengths N of the simple moving average that has the variance of ours, at step t and at last. */
const lengths = (beta2: number, t: number): { readonly n: number; readonly nMax: number } => {
  const nMax = 2 / (1 - beta2) - 1
  return { n: nMax - (2 * t * beta2 ** t) / (1 - beta2 ** t), nMax }
}

/** The variance can be rectified from N ≥ 5 on. */
export const phase = (
  { beta2, degenerateToSgd }: { readonly beta2: number } & RectificationOptions,
  t: number,
): Phase => (lengths(beta2, t).n >= 5 ? 'rectified' : degenerateToSgd ? 'momentum' : 'still')

/**
 * What multiplies m/(√v + ε), once rectified: α·r/c₁ with
 * r = √(c₂ · (N−4)/(N_max−4) · (N−2)/N · N_max/(N_max−2)); and before, what multiplies m: α/c₁.
 *
 * @see Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", arXiv:1908.03265.
 */
export function rectifiedStepSize(
  options: MomentOptions & { readonly learningRate: number },
  t: number,
): number {
  const { c1, c2 } = biasCorrections(options, t)
  const { n, nMax } = lengths(options.beta2, t)
  const r =
    n >= 5 ? Math.sqrt((((c2 * (n - 4)) / (nMax - 4)) * ((n - 2) / n) * nMax) / (nMax - 2)) : 1
  return (options.learningRate * r) / c1
}
