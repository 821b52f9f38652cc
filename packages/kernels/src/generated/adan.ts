// Written by scripts/generate.ts.
import type { GeneratedKernels } from '../generated-kernels.ts'

/** The kernels of Adan. */
export const generatedAdan: GeneratedKernels = {
  '6931c7eb9f91f3c9': (
    n,
    [theta, g, m, d, v, previousGradient],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      changeWeight,
      beta3,
      oneMinusBeta3,
      momentumStep,
      changeStep,
      epsilonHat,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = beta1 * m0 + oneMinusBeta1 * g0
      const d0 = d[i]
      const previousGradient0 = previousGradient[i]
      const t6 = g0 - previousGradient0
      const t7 = beta2 * d0 + oneMinusBeta2 * t6
      const v0 = v[i]
      const t9 = g0 + changeWeight * t6
      const t10 = beta3 * v0 + oneMinusBeta3 * (t9 * t9)
      const t11 = theta0 - (momentumStep * t3 + changeStep * t7) / (Math.sqrt(t10) + epsilonHat)
      theta[i] = t11
      m[i] = t3
      d[i] = t7
      v[i] = t10
      previousGradient[i] = g0
    }
  },
  '1553212c185b94ad': (
    n,
    [theta, g, m, d, v, previousGradient],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      changeWeight,
      beta3,
      oneMinusBeta3,
      momentumStep,
      changeStep,
      epsilonHat,
      decayStep,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = beta1 * m0 + oneMinusBeta1 * g0
      const d0 = d[i]
      const previousGradient0 = previousGradient[i]
      const t6 = g0 - previousGradient0
      const t7 = beta2 * d0 + oneMinusBeta2 * t6
      const v0 = v[i]
      const t9 = g0 + changeWeight * t6
      const t10 = beta3 * v0 + oneMinusBeta3 * (t9 * t9)
      const t11 =
        theta0 -
        decayStep * theta0 -
        (momentumStep * t3 + changeStep * t7) / (Math.sqrt(t10) + epsilonHat)
      theta[i] = t11
      m[i] = t3
      d[i] = t7
      v[i] = t10
      previousGradient[i] = g0
    }
  },
  e2307fa8a6f0f7d2: (
    n,
    [theta, g, m, d, v, previousGradient],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      changeWeight,
      beta3,
      oneMinusBeta3,
      momentumStep,
      changeStep,
      epsilonHat,
      decayStep,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = beta1 * m0 + oneMinusBeta1 * g0
      const d0 = d[i]
      const previousGradient0 = previousGradient[i]
      const t6 = g0 - previousGradient0
      const t7 = beta2 * d0 + oneMinusBeta2 * t6
      const v0 = v[i]
      const t9 = g0 + changeWeight * t6
      const t10 = beta3 * v0 + oneMinusBeta3 * (t9 * t9)
      const t11 = theta0 - (momentumStep * t3 + changeStep * t7) / (Math.sqrt(t10) + epsilonHat)
      const t12 = t11 - decayStep * t11
      theta[i] = t12
      m[i] = t3
      d[i] = t7
      v[i] = t10
      previousGradient[i] = g0
    }
  },
}
