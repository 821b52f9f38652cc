// Written by scripts/generate.ts.
import type { GeneratedKernels } from '../generated-kernels.ts'

/** The kernels of AngularGrad. */
export const generatedAngularGrad: GeneratedKernels = {
  '238efa48b1018236': (
    n,
    [theta, g, m, v, previousGradient, previousTangent],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const previousGradient0 = previousGradient[i]
      const g0 = g[i]
      const t3 = Math.abs((previousGradient0 - g0) / (1 + previousGradient0 * g0))
      const previousTangent0 = previousTangent[i]
      const t5 = Math.min(t3, previousTangent0)
      const m0 = m[i]
      const t7 = beta1 * m0 + oneMinusBeta1 * g0
      const v0 = v[i]
      const t9 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t10 =
        theta0 -
        (stepSize * ((1 / (1 + Math.exp(-(2 * (1 / Math.sqrt(1 + t5 * t5)))))) * t7)) /
          (Math.sqrt(t9) + epsilon)
      theta[i] = t10
      m[i] = t7
      v[i] = t9
      previousGradient[i] = g0
      previousTangent[i] = t3
    }
  },
  '94336d0c5754da8c': (
    n,
    [theta, g, m, v, previousGradient, previousTangent],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, weightDecay],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const previousGradient0 = previousGradient[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const t4 = Math.abs((previousGradient0 - t3) / (1 + previousGradient0 * t3))
      const previousTangent0 = previousTangent[i]
      const t6 = Math.min(t4, previousTangent0)
      const m0 = m[i]
      const t8 = beta1 * m0 + oneMinusBeta1 * t3
      const v0 = v[i]
      const t10 = beta2 * v0 + oneMinusBeta2 * (t3 * t3)
      const t11 =
        theta0 -
        (stepSize * ((1 / (1 + Math.exp(-(2 * (1 / Math.sqrt(1 + t6 * t6)))))) * t8)) /
          (Math.sqrt(t10) + epsilon)
      theta[i] = t11
      m[i] = t8
      v[i] = t10
      previousGradient[i] = t3
      previousTangent[i] = t4
    }
  },
  dfaf472e6b8a67a2: (
    n,
    [theta, g, m, v, previousGradient, previousTangent],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, decayStep],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const previousGradient0 = previousGradient[i]
      const g0 = g[i]
      const t3 = Math.abs((previousGradient0 - g0) / (1 + previousGradient0 * g0))
      const previousTangent0 = previousTangent[i]
      const t5 = Math.min(t3, previousTangent0)
      const m0 = m[i]
      const t7 = beta1 * m0 + oneMinusBeta1 * g0
      const v0 = v[i]
      const t9 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t10 =
        theta0 -
        decayStep * theta0 -
        (stepSize * ((1 / (1 + Math.exp(-(2 * (1 / Math.sqrt(1 + t5 * t5)))))) * t7)) /
          (Math.sqrt(t9) + epsilon)
      theta[i] = t10
      m[i] = t7
      v[i] = t9
      previousGradient[i] = g0
      previousTangent[i] = t3
    }
  },
  b468d05ab4bd047c: (
    n,
    [theta, g, m, v, previousGradient, previousTangent],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const previousGradient0 = previousGradient[i]
      const g0 = g[i]
      const t3 = Math.abs((previousGradient0 - g0) / (1 + previousGradient0 * g0))
      const previousTangent0 = previousTangent[i]
      const m0 = m[i]
      const t6 = beta1 * m0 + oneMinusBeta1 * g0
      const v0 = v[i]
      const t8 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t9 =
        theta0 -
        (stepSize * ((1 / (1 + Math.exp(-(2 * Math.min(t3, previousTangent0))))) * t6)) /
          (Math.sqrt(t8) + epsilon)
      theta[i] = t9
      m[i] = t6
      v[i] = t8
      previousGradient[i] = g0
      previousTangent[i] = t3
    }
  },
  '92ae3ea91e0c9ece': (
    n,
    [theta, g, m, v, previousGradient, previousTangent],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, weightDecay],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const previousGradient0 = previousGradient[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const t4 = Math.abs((previousGradient0 - t3) / (1 + previousGradient0 * t3))
      const previousTangent0 = previousTangent[i]
      const m0 = m[i]
      const t7 = beta1 * m0 + oneMinusBeta1 * t3
      const v0 = v[i]
      const t9 = beta2 * v0 + oneMinusBeta2 * (t3 * t3)
      const t10 =
        theta0 -
        (stepSize * ((1 / (1 + Math.exp(-(2 * Math.min(t4, previousTangent0))))) * t7)) /
          (Math.sqrt(t9) + epsilon)
      theta[i] = t10
      m[i] = t7
      v[i] = t9
      previousGradient[i] = t3
      previousTangent[i] = t4
    }
  },
  '73ca670a8764e41c': (
    n,
    [theta, g, m, v, previousGradient, previousTangent],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, decayStep],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const previousGradient0 = previousGradient[i]
      const g0 = g[i]
      const t3 = Math.abs((previousGradient0 - g0) / (1 + previousGradient0 * g0))
      const previousTangent0 = previousTangent[i]
      const m0 = m[i]
      const t6 = beta1 * m0 + oneMinusBeta1 * g0
      const v0 = v[i]
      const t8 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t9 =
        theta0 -
        decayStep * theta0 -
        (stepSize * ((1 / (1 + Math.exp(-(2 * Math.min(t3, previousTangent0))))) * t6)) /
          (Math.sqrt(t8) + epsilon)
      theta[i] = t9
      m[i] = t6
      v[i] = t8
      previousGradient[i] = g0
      previousTangent[i] = t3
    }
  },
}
