// Written by scripts/generate.ts.
import type { GeneratedKernels } from '../generated-kernels.ts'

/** The kernels of Lion. */
export const generatedLion: GeneratedKernels = {
  dc2b8f9b05f4e817: (
    n,
    [theta, g, m],
    [learningRate, beta1, oneMinusBeta1, beta2, oneMinusBeta2],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = theta0 - learningRate * Math.sign(beta1 * m0 + oneMinusBeta1 * g0)
      const t4 = beta2 * m0 + oneMinusBeta2 * g0
      theta[i] = t3
      m[i] = t4
    }
  },
  afe4fd4f615fdaab: (
    n,
    [theta, g, m],
    [learningRate, beta1, oneMinusBeta1, beta2, oneMinusBeta2, weightDecay],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const t4 = theta0 - learningRate * Math.sign(beta1 * m0 + oneMinusBeta1 * t3)
      const t5 = beta2 * m0 + oneMinusBeta2 * t3
      theta[i] = t4
      m[i] = t5
    }
  },
  '3b78cd807a17ec33': (
    n,
    [theta, g, m],
    [learningRate, beta1, oneMinusBeta1, beta2, oneMinusBeta2, decayStep],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 =
        theta0 - decayStep * theta0 - learningRate * Math.sign(beta1 * m0 + oneMinusBeta1 * g0)
      const t4 = beta2 * m0 + oneMinusBeta2 * g0
      theta[i] = t3
      m[i] = t4
    }
  },
}
