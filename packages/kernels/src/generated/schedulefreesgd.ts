// Written by scripts/generate.ts.
import type { GeneratedKernels } from '../generated-kernels.ts'

/** The kernels of ScheduleFreeSGD. */
export const generatedScheduleFreeSGD: GeneratedKernels = {
  '5462c45102257f35': (n, [theta, g, z], [toZ, stepY, stepZ]) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const z0 = z[i]
      const g0 = g[i]
      const t3 = theta0 - (toZ * (theta0 - z0) + stepY * g0)
      const t4 = z0 - stepZ * g0
      theta[i] = t3
      z[i] = t4
    }
  },
  '3027b3f5d2f69cf7': (n, [theta, g, z], [toZ, stepY, stepZ, weightDecay]) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const z0 = z[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const t4 = theta0 - (toZ * (theta0 - z0) + stepY * t3)
      const t5 = z0 - stepZ * t3
      theta[i] = t4
      z[i] = t5
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
