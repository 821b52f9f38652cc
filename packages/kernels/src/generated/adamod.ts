// Written by scripts/generate.ts.
import type { GeneratedKernels } from '../generated-kernels.ts'

/** The kernels of AdaMod. */
export const generatedAdaMod: GeneratedKernels = {
  '4dafea58b1d430c2': (
    n,
    [theta, g, m, v, s],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, beta3, oneMinusBeta3],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t4 = stepSize / (Math.sqrt(t3) + epsilon)
      const s0 = s[i]
      const t6 = beta3 * s0 + oneMinusBeta3 * t4
      const m0 = m[i]
      const t8 = beta1 * m0 + oneMinusBeta1 * g0
      const t9 = theta0 - Math.min(t4, t6) * t8
      theta[i] = t9
      m[i] = t8
      v[i] = t3
      s[i] = t6
    }
  },
  '936bf881a2eeb596': (
    n,
    [theta, g, m, v, s],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      epsilon,
      stepSize,
      beta3,
      oneMinusBeta3,
      weightDecay,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const t4 = beta2 * v0 + oneMinusBeta2 * (t3 * t3)
      const t5 = stepSize / (Math.sqrt(t4) + epsilon)
      const s0 = s[i]
      const t7 = beta3 * s0 + oneMinusBeta3 * t5
      const m0 = m[i]
      const t9 = beta1 * m0 + oneMinusBeta1 * t3
      const t10 = theta0 - Math.min(t5, t7) * t9
      theta[i] = t10
      m[i] = t9
      v[i] = t4
      s[i] = t7
    }
  },
  bc796a5361fcce37: (
    n,
    [theta, g, m, v, s],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      epsilon,
      stepSize,
      beta3,
      oneMinusBeta3,
      decayStep,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t4 = stepSize / (Math.sqrt(t3) + epsilon)
      const s0 = s[i]
      const t6 = beta3 * s0 + oneMinusBeta3 * t4
      const m0 = m[i]
      const t8 = beta1 * m0 + oneMinusBeta1 * g0
      const t9 = theta0 - decayStep * theta0 - Math.min(t4, t6) * t8
      theta[i] = t9
      m[i] = t8
      v[i] = t3
      s[i] = t6
    }
  },
}
