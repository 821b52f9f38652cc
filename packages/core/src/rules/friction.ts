import type { Arithmetic } from '../arithmetic.ts'

/** How the friction coefficient ξ is chosen. */
export interface FrictionOptions {
  /** Which ξ: 0 is the paper's main rule, 1 its signed and 2 its stretched variant. */
  readonly version: 0 | 1 | 2
  /**
   * Whether to repeat the fault of the first published code, which kept the previous gradient by
   * reference, so that from the second step it equals the current one and ξ = ½.
   */
  readonly aliased: boolean
}

/** The equation for ξ at a step. */
export type Friction = 0 | 1 | 2 | 'half'

/** An aliased first step still sees the zero that the memory starts with. */
export const frictionForm = ({ version, aliased }: FrictionOptions, t: number): Friction =>
  aliased && t > 1 ? 'half' : version

/**
 * ξ, from the previous gradient p and the current one g, with σ the logistic function.
 *
 * - version 0: σ(|p − g|), in [½, 1)
 * - version 1: σ(p − g), in (0, 1)
 * - version 2: 9·σ(½|p − g|) − 4, in [½, 5)
 *
 * @see Dubey et al., "diffGrad: An Optimization Method for Convolutional Neural Networks",
 * arXiv:1909.11015; docs/rule.md says where each version was published.
 */
export function friction<T>(
  { constant, sub, mul, abs, sigmoid }: Arithmetic<T>,
  form: Friction,
  p: T,
  g: T,
): T {
  switch (form) {
    case 0:
      return sigmoid(abs(sub(p, g)))
    case 1:
      return sigmoid(sub(p, g))
    case 2:
      return sub(mul(constant(9), sigmoid(mul(constant(0.5), abs(sub(p, g))))), constant(4))
    case 'half':
      return constant(0.5)
  }
}
