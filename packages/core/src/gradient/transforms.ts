import type { Backend } from '../backend.ts'
import { defineKernel, type Kernel } from '../kernel.ts'

/** How large gradients are cut down. */
export interface Clipping {
  /**
   * `value` bounds each element, `norm` the norm of each parameter's gradient, `globalNorm` the norm
   * of all gradients together.
   */
  readonly by: 'value' | 'norm' | 'globalNorm'
  /** The bound: above 0. */
  readonly limit: number
}

/** What is done to gradients before the rule sees them, in this order. */
export interface ConditioningOptions {
  /**
   * Whether the mean over all axes but the first is subtracted, from gradients of two axes or more.
   *
   * @see Yong et al., "Gradient Centralization", arXiv:2004.01461.
   */
  readonly centralize: boolean
  readonly clip: Clipping | false
}

/** gradient ← s·g, to begin an average of gradients. */
export const begin: Kernel = defineKernel({
  name: 'begin',
  reads: ['g'],
  writes: ['gradient'],
  coefficients: ['share'],
  evaluate: ({ mul }, { g }, { share }) => ({ gradient: mul(share, g) }),
})

/** gradient ← gradient + s·g, to go on with it. */
export const accumulate: Kernel = defineKernel({
  name: 'accumulate',
  reads: ['gradient', 'g'],
  writes: ['gradient'],
  coefficients: ['share'],
  evaluate: ({ add, mul }, { gradient, g }, { share }) => ({
    gradient: add(gradient, mul(share, g)),
  }),
})

/** gradient ← max(lower, min(gradient, upper)). */
export const bound: Kernel = defineKernel({
  name: 'clip by value',
  reads: ['gradient'],
  writes: ['gradient'],
  coefficients: ['lower', 'upper'],
  evaluate: ({ min, max }, { gradient }, { lower, upper }) => ({
    gradient: max(lower, min(gradient, upper)),
  }),
})

/** gradient ← factor · gradient. */
export const scale: Kernel = defineKernel({
  name: 'clip by norm',
  reads: ['gradient'],
  writes: ['gradient'],
  coefficients: ['factor'],
  evaluate: ({ mul }, { gradient }, { factor }) => ({ gradient: mul(factor, gradient) }),
})

/** Centralizes and clips gradients in place. */
export function condition<T>(
  backend: Backend<T, unknown>,
  { centralize, clip }: ConditioningOptions,
  gradients: readonly { readonly gradient: T; readonly shape: readonly number[] }[],
): void {
  if (centralize) {
    for (const { gradient, shape } of gradients) {
      if (shape.length >= 2) backend.centralize(gradient, shape)
    }
  }
  if (!clip) return
  const arrays = gradients.map(({ gradient }) => gradient)
  const limitNorm = (some: readonly T[]): void => {
    if (backend.limitNorm) {
      backend.limitNorm(some, clip.limit)
      return
    }
    const norms = some.map((array) => backend.norm(array))
    const norm = Math.hypot(...norms)
    if (norm <= clip.limit) return
    // One that is not finite makes all it belongs to NaN, rather than zero, or unclipped.
    const factor = norms.every(Number.isFinite) ? clip.limit / norm : Number.NaN
    backend.apply(scale, { gradient: some }, { factor })
  }
  switch (clip.by) {
    case 'value':
      backend.apply(bound, { gradient: arrays }, { lower: -clip.limit, upper: clip.limit })
      break
    case 'norm':
      for (const array of arrays) limitNorm([array])
      break
    case 'globalNorm':
      limitNorm(arrays)
  }
}
