// Written by scripts/generate.ts.
import type { GeneratedKernels } from '../generated-kernels.ts'

/** The kernels of ScheduleFreeAdamW. */
export const generatedScheduleFreeAdamW: GeneratedKernels = {
  '90881886368493d8': (n, [theta, g, z, v], [toZ, stepY, stepZ, beta2, oneMinusBeta2, epsilon]) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const z0 = z[i]
      const g0 = g[i]
      const v0 = v[i]
      const t4 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t5 = g0 / (Math.sqrt(t4) + epsilon)
      const t6 = theta0 - (toZ * (theta0 - z0) + stepY * t5)
      const t7 = z0 - stepZ * t5
      theta[i] = t6
      z[i] = t7
      v[i] = t4
    }
  },
  '023ce673d3588dd2': (
    n,
    [theta, g, z, v],
    [toZ, stepY, stepZ, beta2, oneMinusBeta2, epsilon, weightDecay],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const z0 = z[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const v0 = v[i]
      const t5 = beta2 * v0 + oneMinusBeta2 * (t3 * t3)
      const t6 = t3 / (Math.sqrt(t5) + epsilon)
      const t7 = theta0 - (toZ * (theta0 - z0) + stepY * t6)
      const t8 = z0 - stepZ * t6
      theta[i] = t7
      z[i] = t8
      v[i] = t5
    }
  },
  ea4b05fc3115e9eb: (
    n,
    [theta, g, z, v],
    [toZ, stepY, stepZ, beta2, oneMinusBeta2, epsilon, weightDecay],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const z0 = z[i]
      const g0 = g[i]
      const v0 = v[i]
      const t4 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t5 = g0 / (Math.sqrt(t4) + epsilon) + weightDecay * theta0
      const t6 = theta0 - (toZ * (theta0 - z0) + stepY * t5)
      const t7 = z0 - stepZ * t5
      theta[i] = t6
      z[i] = t7
      v[i] = t4
    }
  },
  c1e0ac05d7a7307c: (n, [theta, z, training], [beyond]) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const z0 = z[i]
      const t2 = theta0 + beyond * (theta0 - z0)
      theta[i] = t2
      training[i] = theta0
    }
  },
}
