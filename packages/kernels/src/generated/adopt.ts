// Written by scripts/generate.ts.
import type { GeneratedKernels } from '../generated-kernels.ts'

/** The kernels of ADOPT. */
export const generatedADOPT: GeneratedKernels = {
  fbbe6cdc49135aee: (n, [theta, g, m, v], [, , , , , , ,]) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = g0 * g0
      theta[i] = theta0
      m[i] = m0
      v[i] = t3
    }
  },
  '636a81ced4e176d8': (n, [theta, g, m, v], [, , , , , , , , weightDecay]) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const t4 = t3 * t3
      theta[i] = theta0
      m[i] = m0
      v[i] = t4
    }
  },
  cccd18587f4f79da: (n, [theta, g, m, v], [, , , , , , , ,]) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = g0 * g0
      theta[i] = theta0
      m[i] = m0
      v[i] = t3
    }
  },
  e6b785a3e7edbbf4: (
    n,
    [theta, g, m, v],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, learningRate, epsilon, bound, minusBound],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const v0 = v[i]
      const t4 =
        beta1 * m0 +
        oneMinusBeta1 * Math.max(minusBound, Math.min(bound, g0 / Math.max(Math.sqrt(v0), epsilon)))
      const t5 = theta0 - learningRate * t4
      const t6 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      theta[i] = t5
      m[i] = t4
      v[i] = t6
    }
  },
  d077a8a7ca2657af: (
    n,
    [theta, g, m, v],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      learningRate,
      epsilon,
      bound,
      minusBound,
      weightDecay,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const v0 = v[i]
      const t5 =
        beta1 * m0 +
        oneMinusBeta1 * Math.max(minusBound, Math.min(bound, t3 / Math.max(Math.sqrt(v0), epsilon)))
      const t6 = theta0 - learningRate * t5
      const t7 = beta2 * v0 + oneMinusBeta2 * (t3 * t3)
      theta[i] = t6
      m[i] = t5
      v[i] = t7
    }
  },
  c3a5df9ecf157a1e: (
    n,
    [theta, g, m, v],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      learningRate,
      epsilon,
      bound,
      minusBound,
      decayStep,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const v0 = v[i]
      const t4 =
        beta1 * m0 +
        oneMinusBeta1 * Math.max(minusBound, Math.min(bound, g0 / Math.max(Math.sqrt(v0), epsilon)))
      const t5 = theta0 - decayStep * theta0 - learningRate * t4
      const t6 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      theta[i] = t5
      m[i] = t4
      v[i] = t6
    }
  },
}
