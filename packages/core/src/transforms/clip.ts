import type { Backend } from '../backend.ts'
import { defineKernel, type Kernel } from '../kernel.ts'

/** How gradients are clipped. */
export interface Clipping {
  /**
   * `value` bounds each element, `norm` the norm of each parameter's gradient, `globalNorm` the norm
   * of all gradients together.
   */
  readonly by: 'value' | 'norm' | 'globalNorm'
  /** The bound: above 0. */
  readonly limit: number
}

/** gradient ← max(lower, min(gradient, upper)). */
export const clipByValue: Kernel = defineKernel({
  name: 'clip by value',
  reads: ['gradient'],
  writes: ['gradient'],
  coefficients: ['lower', 'upper'],
  evaluate: ({ min, max }, { gradient }, { lower, upper }) => ({
    gradient: max(lower, min(gradient, upper)),
  }),
})

/** gradient ← factor · gradient. */
export const scaleGradient: Kernel = defineKernel({
  name: 'clip by norm',
  reads: ['gradient'],
  writes: ['gradient'],
  coefficients: ['factor'],
  evaluate: ({ mul }, { gradient }, { factor }) => ({ gradient: mul(factor, gradient) }),
})

/** Clips gradients in place. */
export function clipGradients<T>(
  backend: Backend<T, unknown>,
  { by, limit }: Clipping,
  gradients: readonly T[],
): void {
  switch (by) {
    case 'value':
      backend.apply(clipByValue, { gradient: gradients }, { lower: -limit, upper: limit })
      break
    case 'norm':
      for (const gradient of gradients) clipByGlobalNorm(backend, [gradient], limit)
      break
    case 'globalNorm':
      clipByGlobalNorm(backend, gradients, limit)
  }
}

function clipByGlobalNorm<T>(
  backend: Backend<T, unknown>,
  gradients: readonly T[],
  limit: number,
): void {
  if (backend.clipByGlobalNorm) {
    backend.clipByGlobalNorm(gradients, limit)
    return
  }
  const norms = gradients.map((gradient) => backend.norm(gradient))
  const norm = Math.hypot(...norms)
  if (norm <= limit) return
  // Without the test, an infinite norm would turn all finite elements into zeros.
  const factor = norms.every(Number.isFinite) ? limit / norm : Number.NaN
  backend.apply(scaleGradient, { gradient: gradients }, { factor })
}

/**
 * The Euclidean norm over a plain array; not finite if and only if an element is not. If the sum of
 * squares overflows or underflows, the elements are scaled first.
 */
export function euclideanNorm(elements: ArrayLike<number>): number {
  const norm = Math.sqrt(sumOfSquares(elements, 1))
  if (norm > 1e-150 && norm < Number.POSITIVE_INFINITY) return norm
  const largest = largestMagnitude(elements)
  if (largest === 0 || !Number.isFinite(largest)) return largest
  return Math.min(largest * Math.sqrt(sumOfSquares(elements, largest)), Number.MAX_VALUE)
}

function sumOfSquares(elements: ArrayLike<number>, scale: number): number {
  let sum = 0
  for (let i = 0; i < elements.length; i++) sum += (elements[i] / scale) ** 2
  return sum
}

function largestMagnitude(elements: ArrayLike<number>): number {
  let largest = 0
  for (let i = 0; i < elements.length; i++) largest = Math.max(largest, Math.abs(elements[i]))
  return largest
}
