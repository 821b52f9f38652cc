// Written by scripts/generate.ts.
import type { GeneratedKernels } from '../generated-kernels.ts'

/** The kernels of LAMB. */
export const generatedLAMB: GeneratedKernels = {
  '98828f6117149a98': (
    n,
    [theta, g, m, v],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, correction, epsilonHat, lambda, , stepSize],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = beta1 * m0 + oneMinusBeta1 * g0
      const v0 = v[i]
      const t5 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t6 =
        theta0 - stepSize * ((correction * t3) / (Math.sqrt(t5) + epsilonHat) + lambda * theta0)
      theta[i] = t6
      m[i] = t3
      v[i] = t5
    }
  },
  '76a0c29e324f3622': (
    n,
    [theta, g, m, v, squaredParameter, squaredDirection],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, correction, epsilonHat, lambda],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const t1 = theta0 * theta0
      const m0 = m[i]
      const g0 = g[i]
      const v0 = v[i]
      const t5 =
        (correction * (beta1 * m0 + oneMinusBeta1 * g0)) /
          (Math.sqrt(beta2 * v0 + oneMinusBeta2 * (g0 * g0)) + epsilonHat) +
        lambda * theta0
      const t6 = t5 * t5
      squaredParameter[i] = t1
      squaredDirection[i] = t6
    }
  },
}
