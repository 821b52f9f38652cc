// Written by scripts/generate.ts.
import type { GeneratedKernels } from '../generated-kernels.ts'

/** The kernels of DiffRGrad. */
export const generatedDiffRGrad: GeneratedKernels = {
  abdf33086f0dca58: (
    n,
    [theta, g, m, v, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, ,],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = beta1 * m0 + oneMinusBeta1 * g0
      const v0 = v[i]
      const t5 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      theta[i] = theta0
      m[i] = t3
      v[i] = t5
      previousGradient[i] = g0
    }
  },
  '71e0e45b1dcd21b6': (
    n,
    [theta, g, m, v, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, , , weightDecay],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const t4 = beta1 * m0 + oneMinusBeta1 * t3
      const v0 = v[i]
      const t6 = beta2 * v0 + oneMinusBeta2 * (t3 * t3)
      theta[i] = theta0
      m[i] = t4
      v[i] = t6
      previousGradient[i] = t3
    }
  },
  b318662c8158bb14: (
    n,
    [theta, g, m, v, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, , ,],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = beta1 * m0 + oneMinusBeta1 * g0
      const v0 = v[i]
      const t5 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      theta[i] = theta0
      m[i] = t3
      v[i] = t5
      previousGradient[i] = g0
    }
  },
  '7cfe2cff4f7d692b': (
    n,
    [theta, g, m, v, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const previousGradient0 = previousGradient[i]
      const g0 = g[i]
      const m0 = m[i]
      const t4 = beta1 * m0 + oneMinusBeta1 * g0
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
  d760e6f23a9fa8b9: (
    n,
    [theta, g, m, v, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, weightDecay],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const previousGradient0 = previousGradient[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const m0 = m[i]
      const t5 = beta1 * m0 + oneMinusBeta1 * t3
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
  '000113b2483e1ace': (
    n,
    [theta, g, m, v, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, decayStep],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const previousGradient0 = previousGradient[i]
      const g0 = g[i]
      const m0 = m[i]
      const t4 = beta1 * m0 + oneMinusBeta1 * g0
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
  '7a93265545793554': (
    n,
    [theta, g, m, v, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = beta1 * m0 + oneMinusBeta1 * g0
      const v0 = v[i]
      const t5 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t6 = theta0 - (stepSize * (0.5 * t3)) / (Math.sqrt(t5) + epsilon)
      theta[i] = t6
      m[i] = t3
      v[i] = t5
      previousGradient[i] = g0
    }
  },
  '3ef5deebbe100f1f': (
    n,
    [theta, g, m, v, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, weightDecay],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const t4 = beta1 * m0 + oneMinusBeta1 * t3
      const v0 = v[i]
      const t6 = beta2 * v0 + oneMinusBeta2 * (t3 * t3)
      const t7 = theta0 - (stepSize * (0.5 * t4)) / (Math.sqrt(t6) + epsilon)
      theta[i] = t7
      m[i] = t4
      v[i] = t6
      previousGradient[i] = t3
    }
  },
  c9098f7cb5fcba1a: (
    n,
    [theta, g, m, v, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, decayStep],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = beta1 * m0 + oneMinusBeta1 * g0
      const v0 = v[i]
      const t5 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t6 = theta0 - decayStep * theta0 - (stepSize * (0.5 * t3)) / (Math.sqrt(t5) + epsilon)
      theta[i] = t6
      m[i] = t3
      v[i] = t5
      previousGradient[i] = g0
    }
  },
  '08a60839e3943165': (
    n,
    [theta, g, m, v, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const previousGradient0 = previousGradient[i]
      const g0 = g[i]
      const m0 = m[i]
      const t4 = beta1 * m0 + oneMinusBeta1 * g0
      const v0 = v[i]
      const t6 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t7 =
        theta0 -
        (stepSize * ((1 / (1 + Math.exp(-(previousGradient0 - g0)))) * t4)) /
          (Math.sqrt(t6) + epsilon)
      theta[i] = t7
      m[i] = t4
      v[i] = t6
      previousGradient[i] = g0
    }
  },
  a7accf266d637f7a: (
    n,
    [theta, g, m, v, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, weightDecay],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const previousGradient0 = previousGradient[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const m0 = m[i]
      const t5 = beta1 * m0 + oneMinusBeta1 * t3
      const v0 = v[i]
      const t7 = beta2 * v0 + oneMinusBeta2 * (t3 * t3)
      const t8 =
        theta0 -
        (stepSize * ((1 / (1 + Math.exp(-(previousGradient0 - t3)))) * t5)) /
          (Math.sqrt(t7) + epsilon)
      theta[i] = t8
      m[i] = t5
      v[i] = t7
      previousGradient[i] = t3
    }
  },
  cc4bf8761d44a3ab: (
    n,
    [theta, g, m, v, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, decayStep],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const previousGradient0 = previousGradient[i]
      const g0 = g[i]
      const m0 = m[i]
      const t4 = beta1 * m0 + oneMinusBeta1 * g0
      const v0 = v[i]
      const t6 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t7 =
        theta0 -
        decayStep * theta0 -
        (stepSize * ((1 / (1 + Math.exp(-(previousGradient0 - g0)))) * t4)) /
          (Math.sqrt(t6) + epsilon)
      theta[i] = t7
      m[i] = t4
      v[i] = t6
      previousGradient[i] = g0
    }
  },
  bd7040ad1c67918f: (
    n,
    [theta, g, m, v, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const previousGradient0 = previousGradient[i]
      const g0 = g[i]
      const m0 = m[i]
      const t4 = beta1 * m0 + oneMinusBeta1 * g0
      const v0 = v[i]
      const t6 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t7 =
        theta0 -
        (stepSize *
          ((9 * (1 / (1 + Math.exp(-(0.5 * Math.abs(previousGradient0 - g0))))) - 4) * t4)) /
          (Math.sqrt(t6) + epsilon)
      theta[i] = t7
      m[i] = t4
      v[i] = t6
      previousGradient[i] = g0
    }
  },
  cca717cc26fd263e: (
    n,
    [theta, g, m, v, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, weightDecay],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const previousGradient0 = previousGradient[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const m0 = m[i]
      const t5 = beta1 * m0 + oneMinusBeta1 * t3
      const v0 = v[i]
      const t7 = beta2 * v0 + oneMinusBeta2 * (t3 * t3)
      const t8 =
        theta0 -
        (stepSize *
          ((9 * (1 / (1 + Math.exp(-(0.5 * Math.abs(previousGradient0 - t3))))) - 4) * t5)) /
          (Math.sqrt(t7) + epsilon)
      theta[i] = t8
      m[i] = t5
      v[i] = t7
      previousGradient[i] = t3
    }
  },
  '1ff1f70ccf86c9e5': (
    n,
    [theta, g, m, v, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, decayStep],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const previousGradient0 = previousGradient[i]
      const g0 = g[i]
      const m0 = m[i]
      const t4 = beta1 * m0 + oneMinusBeta1 * g0
      const v0 = v[i]
      const t6 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t7 =
        theta0 -
        decayStep * theta0 -
        (stepSize *
          ((9 * (1 / (1 + Math.exp(-(0.5 * Math.abs(previousGradient0 - g0))))) - 4) * t4)) /
          (Math.sqrt(t6) + epsilon)
      theta[i] = t7
      m[i] = t4
      v[i] = t6
      previousGradient[i] = g0
    }
  },
  c61c8287b5355420: (
    n,
    [theta, g, m, v, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, , stepSize],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = beta1 * m0 + oneMinusBeta1 * g0
      const t4 = theta0 - stepSize * t3
      const v0 = v[i]
      const t6 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      theta[i] = t4
      m[i] = t3
      v[i] = t6
      previousGradient[i] = g0
    }
  },
  '23d93419a0503e1c': (
    n,
    [theta, g, m, v, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, , stepSize, weightDecay],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const t4 = beta1 * m0 + oneMinusBeta1 * t3
      const t5 = theta0 - stepSize * t4
      const v0 = v[i]
      const t7 = beta2 * v0 + oneMinusBeta2 * (t3 * t3)
      theta[i] = t5
      m[i] = t4
      v[i] = t7
      previousGradient[i] = t3
    }
  },
  '3649a0a58cf109c5': (
    n,
    [theta, g, m, v, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, , stepSize, decayStep],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = beta1 * m0 + oneMinusBeta1 * g0
      const t4 = theta0 - decayStep * theta0 - stepSize * t3
      const v0 = v[i]
      const t6 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      theta[i] = t4
      m[i] = t3
      v[i] = t6
      previousGradient[i] = g0
    }
  },
}
