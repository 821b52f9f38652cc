// Written by scripts/generate.ts.
import type { GeneratedKernels } from '../generated-kernels.ts'

/** The kernels of AdaBelief. */
export const generatedAdaBelief: GeneratedKernels = {
  '5633d507f4210ee9': (
    n,
    [theta, g, m, s],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, epsilonHat],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = beta1 * m0 + oneMinusBeta1 * g0
      const s0 = s[i]
      const t5 = g0 - t3
      const t6 = beta2 * s0 + oneMinusBeta2 * (t5 * t5) + epsilon
      const t7 = theta0 - (stepSize * t3) / (Math.sqrt(t6) + epsilonHat)
      theta[i] = t7
      m[i] = t3
      s[i] = t6
    }
  },
  bff166377b53d35f: (
    n,
    [theta, g, m, s],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, epsilonHat, weightDecay],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const t4 = beta1 * m0 + oneMinusBeta1 * t3
      const s0 = s[i]
      const t6 = t3 - t4
      const t7 = beta2 * s0 + oneMinusBeta2 * (t6 * t6) + epsilon
      const t8 = theta0 - (stepSize * t4) / (Math.sqrt(t7) + epsilonHat)
      theta[i] = t8
      m[i] = t4
      s[i] = t7
    }
  },
  ca16c28ccccabc50: (
    n,
    [theta, g, m, s],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, epsilonHat, decayStep],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = beta1 * m0 + oneMinusBeta1 * g0
      const s0 = s[i]
      const t5 = g0 - t3
      const t6 = beta2 * s0 + oneMinusBeta2 * (t5 * t5) + epsilon
      const t7 = theta0 - decayStep * theta0 - (stepSize * t3) / (Math.sqrt(t6) + epsilonHat)
      theta[i] = t7
      m[i] = t3
      s[i] = t6
    }
  },
}
