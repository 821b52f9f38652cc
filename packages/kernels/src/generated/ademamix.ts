// Written by scripts/generate.ts.
import type { GeneratedKernels } from '../generated-kernels.ts'

/** The kernels of AdEMAMix. */
export const generatedAdEMAMix: GeneratedKernels = {
  '0db648650e4827b7': (
    n,
    [theta, g, m, m2, v],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      beta3,
      oneMinusBeta3,
      momentumStep,
      slowStep,
      epsilonHat,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = beta1 * m0 + oneMinusBeta1 * g0
      const m20 = m2[i]
      const t5 = beta3 * m20 + oneMinusBeta3 * g0
      const v0 = v[i]
      const t7 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t8 = theta0 - (momentumStep * t3 + slowStep * t5) / (Math.sqrt(t7) + epsilonHat)
      theta[i] = t8
      m[i] = t3
      m2[i] = t5
      v[i] = t7
    }
  },
  a848e6bdf365f7eb: (
    n,
    [theta, g, m, m2, v],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      beta3,
      oneMinusBeta3,
      momentumStep,
      slowStep,
      epsilonHat,
      weightDecay,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const t4 = beta1 * m0 + oneMinusBeta1 * t3
      const m20 = m2[i]
      const t6 = beta3 * m20 + oneMinusBeta3 * t3
      const v0 = v[i]
      const t8 = beta2 * v0 + oneMinusBeta2 * (t3 * t3)
      const t9 = theta0 - (momentumStep * t4 + slowStep * t6) / (Math.sqrt(t8) + epsilonHat)
      theta[i] = t9
      m[i] = t4
      m2[i] = t6
      v[i] = t8
    }
  },
  ada0565a388edbbc: (
    n,
    [theta, g, m, m2, v],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      beta3,
      oneMinusBeta3,
      momentumStep,
      slowStep,
      epsilonHat,
      decayStep,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = beta1 * m0 + oneMinusBeta1 * g0
      const m20 = m2[i]
      const t5 = beta3 * m20 + oneMinusBeta3 * g0
      const v0 = v[i]
      const t7 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t8 =
        theta0 -
        decayStep * theta0 -
        (momentumStep * t3 + slowStep * t5) / (Math.sqrt(t7) + epsilonHat)
      theta[i] = t8
      m[i] = t3
      m2[i] = t5
      v[i] = t7
    }
  },
}
