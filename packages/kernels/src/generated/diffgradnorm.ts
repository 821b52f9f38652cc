// Written by scripts/generate.ts.
import type { GeneratedKernels } from '../generated-kernels.ts'

/** The kernels of diffGradNorm. */
export const generatedDiffGradNorm: GeneratedKernels = {
  '985b7d14963f0cbb': (
    n,
    [theta, g, m, v, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, , , epsilon, stepSize, scale],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const previousGradient0 = previousGradient[i]
      const g0 = g[i]
      const m0 = m[i]
      const t4 = beta1 * m0 + oneMinusBeta1 * (scale * g0)
      const v0 = v[i]
      const t6 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t7 =
        theta0 -
        (stepSize * ((1 / (1 + Math.exp(-Math.abs(previousGradient0 - g0)))) * t4)) /
          (Math.sqrt(t6) + epsilon)
      theta[i] = t7
      m[i] = t4
      v[i] = t6
      previousGradient[i] = g0
    }
  },
  '100093e154f32683': (n, [g, squares], [, , , , , , ,]) => {
    for (let i = 0; i < n; i++) {
      const g0 = g[i]
      const t1 = g0 * g0
      squares[i] = t1
    }
  },
  '206e3bf5b1519ae7': (
    n,
    [theta, g, m, v, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, , , epsilon, stepSize, weightDecay, scale],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const previousGradient0 = previousGradient[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const m0 = m[i]
      const t5 = beta1 * m0 + oneMinusBeta1 * (scale * t3)
      const v0 = v[i]
      const t7 = beta2 * v0 + oneMinusBeta2 * (t3 * t3)
      const t8 =
        theta0 -
        (stepSize * ((1 / (1 + Math.exp(-Math.abs(previousGradient0 - t3)))) * t5)) /
          (Math.sqrt(t7) + epsilon)
      theta[i] = t8
      m[i] = t5
      v[i] = t7
      previousGradient[i] = t3
    }
  },
  '86a22c7aaeb0ca66': (n, [theta, g, squares], [, , , , , , , , weightDecay]) => {
    for (let i = 0; i < n; i++) {
      const g0 = g[i]
      const theta0 = theta[i]
      const t2 = g0 + weightDecay * theta0
      const t3 = t2 * t2
      squares[i] = t3
    }
  },
  cbb2d3fce519aaa0: (
    n,
    [theta, g, m, v, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, , , epsilon, stepSize, decayStep, scale],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const previousGradient0 = previousGradient[i]
      const g0 = g[i]
      const m0 = m[i]
      const t4 = beta1 * m0 + oneMinusBeta1 * (scale * g0)
      const v0 = v[i]
      const t6 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t7 =
        theta0 -
        decayStep * theta0 -
        (stepSize * ((1 / (1 + Math.exp(-Math.abs(previousGradient0 - g0)))) * t4)) /
          (Math.sqrt(t6) + epsilon)
      theta[i] = t7
      m[i] = t4
      v[i] = t6
      previousGradient[i] = g0
    }
  },
  f8e90c313463d26f: (n, [g, squares], [, , , , , , , ,]) => {
    for (let i = 0; i < n; i++) {
      const g0 = g[i]
      const t1 = g0 * g0
      squares[i] = t1
    }
  },
}
