// Written by scripts/generate.ts.
import type { GeneratedKernels } from '../generated-kernels.ts'

/** The kernels of NAdam. */
export const generatedNAdam: GeneratedKernels = {
  cc33affb92775780: (
    n,
    [theta, g, m, v],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, gradientStep, momentumStep, epsilonHat],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const g0 = g[i]
      const m0 = m[i]
      const t3 = beta1 * m0 + oneMinusBeta1 * g0
      const v0 = v[i]
      const t5 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t6 = theta0 - (gradientStep * g0 + momentumStep * t3) / (Math.sqrt(t5) + epsilonHat)
      theta[i] = t6
      m[i] = t3
      v[i] = t5
    }
  },
  '3be8208dceea3cd2': (
    n,
    [theta, g, m, v],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      gradientStep,
      momentumStep,
      epsilonHat,
      weightDecay,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const g0 = g[i]
      const t2 = g0 + weightDecay * theta0
      const m0 = m[i]
      const t4 = beta1 * m0 + oneMinusBeta1 * t2
      const v0 = v[i]
      const t6 = beta2 * v0 + oneMinusBeta2 * (t2 * t2)
      const t7 = theta0 - (gradientStep * t2 + momentumStep * t4) / (Math.sqrt(t6) + epsilonHat)
      theta[i] = t7
      m[i] = t4
      v[i] = t6
    }
  },
  '420ee41dea28c1cf': (
    n,
    [theta, g, m, v],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, gradientStep, momentumStep, epsilonHat, decayStep],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const g0 = g[i]
      const m0 = m[i]
      const t3 = beta1 * m0 + oneMinusBeta1 * g0
      const v0 = v[i]
      const t5 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t6 =
        theta0 -
        decayStep * theta0 -
        (gradientStep * g0 + momentumStep * t3) / (Math.sqrt(t5) + epsilonHat)
      theta[i] = t6
      m[i] = t3
      v[i] = t5
    }
  },
}
