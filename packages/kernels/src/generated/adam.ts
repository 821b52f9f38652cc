// Written by scripts/generate.ts.
import type { GeneratedKernels } from '../generated-kernels.ts'

/** The kernels of Adam. */
export const generatedAdam: GeneratedKernels = {
  '4506abeb77d61903': (
    n,
    [theta, g, m, v],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, stepSize, epsilonHat],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = beta1 * m0 + oneMinusBeta1 * g0
      const v0 = v[i]
      const t5 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t6 = theta0 - (stepSize * t3) / (Math.sqrt(t5) + epsilonHat)
      theta[i] = t6
      m[i] = t3
      v[i] = t5
    }
  },
  '17d1011a9ec02c73': (
    n,
    [theta, g, m, v],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, stepSize, epsilonHat, weightDecay],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const t4 = beta1 * m0 + oneMinusBeta1 * t3
      const v0 = v[i]
      const t6 = beta2 * v0 + oneMinusBeta2 * (t3 * t3)
      const t7 = theta0 - (stepSize * t4) / (Math.sqrt(t6) + epsilonHat)
      theta[i] = t7
      m[i] = t4
      v[i] = t6
    }
  },
  '5537f75fecce95d8': (
    n,
    [theta, g, m, v],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, stepSize, epsilonHat, decayStep],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = beta1 * m0 + oneMinusBeta1 * g0
      const v0 = v[i]
      const t5 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t6 = theta0 - decayStep * theta0 - (stepSize * t3) / (Math.sqrt(t5) + epsilonHat)
      theta[i] = t6
      m[i] = t3
      v[i] = t5
    }
  },
  a2117575a67449fa: (
    n,
    [theta, g, m, v, vMax],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, stepSize, epsilonHat],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = beta1 * m0 + oneMinusBeta1 * g0
      const vMax0 = vMax[i]
      const v0 = v[i]
      const t6 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t7 = Math.max(vMax0, t6)
      const t8 = theta0 - (stepSize * t3) / (Math.sqrt(t7) + epsilonHat)
      theta[i] = t8
      m[i] = t3
      v[i] = t6
      vMax[i] = t7
    }
  },
  '23375fb53084294f': (
    n,
    [theta, g, m, v, vMax],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, stepSize, epsilonHat, weightDecay],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const t4 = beta1 * m0 + oneMinusBeta1 * t3
      const vMax0 = vMax[i]
      const v0 = v[i]
      const t7 = beta2 * v0 + oneMinusBeta2 * (t3 * t3)
      const t8 = Math.max(vMax0, t7)
      const t9 = theta0 - (stepSize * t4) / (Math.sqrt(t8) + epsilonHat)
      theta[i] = t9
      m[i] = t4
      v[i] = t7
      vMax[i] = t8
    }
  },
  '4f28d126402241fc': (
    n,
    [theta, g, m, v, vMax],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, stepSize, epsilonHat, decayStep],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = beta1 * m0 + oneMinusBeta1 * g0
      const vMax0 = vMax[i]
      const v0 = v[i]
      const t6 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t7 = Math.max(vMax0, t6)
      const t8 = theta0 - decayStep * theta0 - (stepSize * t3) / (Math.sqrt(t7) + epsilonHat)
      theta[i] = t8
      m[i] = t3
      v[i] = t6
      vMax[i] = t7
    }
  },
}
