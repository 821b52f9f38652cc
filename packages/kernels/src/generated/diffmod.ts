// Written by scripts/generate.ts.
import type { GeneratedKernels } from '../generated-kernels.ts'

/** The kernels of DiffMod. */
export const generatedDiffMod: GeneratedKernels = {
  ad5f597d6a156013: (
    n,
    [theta, g, m, v, s, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, beta3, oneMinusBeta3],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t4 = stepSize / (Math.sqrt(t3) + epsilon)
      const s0 = s[i]
      const t6 = beta3 * s0 + oneMinusBeta3 * t4
      const previousGradient0 = previousGradient[i]
      const m0 = m[i]
      const t9 = beta1 * m0 + oneMinusBeta1 * g0
      const t10 =
        theta0 - Math.min(t4, t6) * ((1 / (1 + Math.exp(-Math.abs(previousGradient0 - g0)))) * t9)
      theta[i] = t10
      m[i] = t9
      v[i] = t3
      s[i] = t6
      previousGradient[i] = g0
    }
  },
  d1ba16c476845c9f: (
    n,
    [theta, g, m, v, s, previousGradient],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      epsilon,
      stepSize,
      beta3,
      oneMinusBeta3,
      weightDecay,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const t4 = beta2 * v0 + oneMinusBeta2 * (t3 * t3)
      const t5 = stepSize / (Math.sqrt(t4) + epsilon)
      const s0 = s[i]
      const t7 = beta3 * s0 + oneMinusBeta3 * t5
      const previousGradient0 = previousGradient[i]
      const m0 = m[i]
      const t10 = beta1 * m0 + oneMinusBeta1 * t3
      const t11 =
        theta0 - Math.min(t5, t7) * ((1 / (1 + Math.exp(-Math.abs(previousGradient0 - t3)))) * t10)
      theta[i] = t11
      m[i] = t10
      v[i] = t4
      s[i] = t7
      previousGradient[i] = t3
    }
  },
  a1ca31943a2999b0: (
    n,
    [theta, g, m, v, s, previousGradient],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      epsilon,
      stepSize,
      beta3,
      oneMinusBeta3,
      decayStep,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t4 = stepSize / (Math.sqrt(t3) + epsilon)
      const s0 = s[i]
      const t6 = beta3 * s0 + oneMinusBeta3 * t4
      const previousGradient0 = previousGradient[i]
      const m0 = m[i]
      const t9 = beta1 * m0 + oneMinusBeta1 * g0
      const t10 =
        theta0 -
        decayStep * theta0 -
        Math.min(t4, t6) * ((1 / (1 + Math.exp(-Math.abs(previousGradient0 - g0)))) * t9)
      theta[i] = t10
      m[i] = t9
      v[i] = t3
      s[i] = t6
      previousGradient[i] = g0
    }
  },
  '89bb1a2f9f937a72': (
    n,
    [theta, g, m, v, s, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, beta3, oneMinusBeta3],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t4 = stepSize / (Math.sqrt(t3) + epsilon)
      const s0 = s[i]
      const t6 = beta3 * s0 + oneMinusBeta3 * t4
      const previousGradient0 = previousGradient[i]
      const m0 = m[i]
      const t9 = beta1 * m0 + oneMinusBeta1 * g0
      const t10 =
        theta0 - (t4 + t6) * 0.5 * ((1 / (1 + Math.exp(-Math.abs(previousGradient0 - g0)))) * t9)
      theta[i] = t10
      m[i] = t9
      v[i] = t3
      s[i] = t6
      previousGradient[i] = g0
    }
  },
  a76c68e83e65d9ea: (
    n,
    [theta, g, m, v, s, previousGradient],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      epsilon,
      stepSize,
      beta3,
      oneMinusBeta3,
      weightDecay,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const t4 = beta2 * v0 + oneMinusBeta2 * (t3 * t3)
      const t5 = stepSize / (Math.sqrt(t4) + epsilon)
      const s0 = s[i]
      const t7 = beta3 * s0 + oneMinusBeta3 * t5
      const previousGradient0 = previousGradient[i]
      const m0 = m[i]
      const t10 = beta1 * m0 + oneMinusBeta1 * t3
      const t11 =
        theta0 - (t5 + t7) * 0.5 * ((1 / (1 + Math.exp(-Math.abs(previousGradient0 - t3)))) * t10)
      theta[i] = t11
      m[i] = t10
      v[i] = t4
      s[i] = t7
      previousGradient[i] = t3
    }
  },
  '43588a9af5af7b6d': (
    n,
    [theta, g, m, v, s, previousGradient],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      epsilon,
      stepSize,
      beta3,
      oneMinusBeta3,
      decayStep,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t4 = stepSize / (Math.sqrt(t3) + epsilon)
      const s0 = s[i]
      const t6 = beta3 * s0 + oneMinusBeta3 * t4
      const previousGradient0 = previousGradient[i]
      const m0 = m[i]
      const t9 = beta1 * m0 + oneMinusBeta1 * g0
      const t10 =
        theta0 -
        decayStep * theta0 -
        (t4 + t6) * 0.5 * ((1 / (1 + Math.exp(-Math.abs(previousGradient0 - g0)))) * t9)
      theta[i] = t10
      m[i] = t9
      v[i] = t3
      s[i] = t6
      previousGradient[i] = g0
    }
  },
  '65115ad5b65772ed': (
    n,
    [theta, g, m, v, s, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, beta3, oneMinusBeta3],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t4 = stepSize / (Math.sqrt(t3) + epsilon)
      const s0 = s[i]
      const t6 = beta3 * s0 + oneMinusBeta3 * t4
      const m0 = m[i]
      const t8 = beta1 * m0 + oneMinusBeta1 * g0
      const t9 = theta0 - Math.min(t4, t6) * (0.5 * t8)
      theta[i] = t9
      m[i] = t8
      v[i] = t3
      s[i] = t6
      previousGradient[i] = g0
    }
  },
  '747f1d0c25e8bd00': (
    n,
    [theta, g, m, v, s, previousGradient],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      epsilon,
      stepSize,
      beta3,
      oneMinusBeta3,
      weightDecay,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const t4 = beta2 * v0 + oneMinusBeta2 * (t3 * t3)
      const t5 = stepSize / (Math.sqrt(t4) + epsilon)
      const s0 = s[i]
      const t7 = beta3 * s0 + oneMinusBeta3 * t5
      const m0 = m[i]
      const t9 = beta1 * m0 + oneMinusBeta1 * t3
      const t10 = theta0 - Math.min(t5, t7) * (0.5 * t9)
      theta[i] = t10
      m[i] = t9
      v[i] = t4
      s[i] = t7
      previousGradient[i] = t3
    }
  },
  b09eb974f7f16e5b: (
    n,
    [theta, g, m, v, s, previousGradient],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      epsilon,
      stepSize,
      beta3,
      oneMinusBeta3,
      decayStep,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t4 = stepSize / (Math.sqrt(t3) + epsilon)
      const s0 = s[i]
      const t6 = beta3 * s0 + oneMinusBeta3 * t4
      const m0 = m[i]
      const t8 = beta1 * m0 + oneMinusBeta1 * g0
      const t9 = theta0 - decayStep * theta0 - Math.min(t4, t6) * (0.5 * t8)
      theta[i] = t9
      m[i] = t8
      v[i] = t3
      s[i] = t6
      previousGradient[i] = g0
    }
  },
  '9c23db1af01d29f6': (
    n,
    [theta, g, m, v, s, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, beta3, oneMinusBeta3],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t4 = stepSize / (Math.sqrt(t3) + epsilon)
      const s0 = s[i]
      const t6 = beta3 * s0 + oneMinusBeta3 * t4
      const m0 = m[i]
      const t8 = beta1 * m0 + oneMinusBeta1 * g0
      const t9 = theta0 - (t4 + t6) * 0.5 * (0.5 * t8)
      theta[i] = t9
      m[i] = t8
      v[i] = t3
      s[i] = t6
      previousGradient[i] = g0
    }
  },
  e746cb0c9cab20c3: (
    n,
    [theta, g, m, v, s, previousGradient],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      epsilon,
      stepSize,
      beta3,
      oneMinusBeta3,
      weightDecay,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const t4 = beta2 * v0 + oneMinusBeta2 * (t3 * t3)
      const t5 = stepSize / (Math.sqrt(t4) + epsilon)
      const s0 = s[i]
      const t7 = beta3 * s0 + oneMinusBeta3 * t5
      const m0 = m[i]
      const t9 = beta1 * m0 + oneMinusBeta1 * t3
      const t10 = theta0 - (t5 + t7) * 0.5 * (0.5 * t9)
      theta[i] = t10
      m[i] = t9
      v[i] = t4
      s[i] = t7
      previousGradient[i] = t3
    }
  },
  d93b0db0cdf2ed28: (
    n,
    [theta, g, m, v, s, previousGradient],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      epsilon,
      stepSize,
      beta3,
      oneMinusBeta3,
      decayStep,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t4 = stepSize / (Math.sqrt(t3) + epsilon)
      const s0 = s[i]
      const t6 = beta3 * s0 + oneMinusBeta3 * t4
      const m0 = m[i]
      const t8 = beta1 * m0 + oneMinusBeta1 * g0
      const t9 = theta0 - decayStep * theta0 - (t4 + t6) * 0.5 * (0.5 * t8)
      theta[i] = t9
      m[i] = t8
      v[i] = t3
      s[i] = t6
      previousGradient[i] = g0
    }
  },
  '8cfb58ce3cda0f1f': (
    n,
    [theta, g, m, v, s, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, beta3, oneMinusBeta3],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t4 = stepSize / (Math.sqrt(t3) + epsilon)
      const s0 = s[i]
      const t6 = beta3 * s0 + oneMinusBeta3 * t4
      const previousGradient0 = previousGradient[i]
      const m0 = m[i]
      const t9 = beta1 * m0 + oneMinusBeta1 * g0
      const t10 = theta0 - Math.min(t4, t6) * ((1 / (1 + Math.exp(-(previousGradient0 - g0)))) * t9)
      theta[i] = t10
      m[i] = t9
      v[i] = t3
      s[i] = t6
      previousGradient[i] = g0
    }
  },
  '8dd62b2ba32d150b': (
    n,
    [theta, g, m, v, s, previousGradient],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      epsilon,
      stepSize,
      beta3,
      oneMinusBeta3,
      weightDecay,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const t4 = beta2 * v0 + oneMinusBeta2 * (t3 * t3)
      const t5 = stepSize / (Math.sqrt(t4) + epsilon)
      const s0 = s[i]
      const t7 = beta3 * s0 + oneMinusBeta3 * t5
      const previousGradient0 = previousGradient[i]
      const m0 = m[i]
      const t10 = beta1 * m0 + oneMinusBeta1 * t3
      const t11 =
        theta0 - Math.min(t5, t7) * ((1 / (1 + Math.exp(-(previousGradient0 - t3)))) * t10)
      theta[i] = t11
      m[i] = t10
      v[i] = t4
      s[i] = t7
      previousGradient[i] = t3
    }
  },
  e7a2771e6b1ccbe4: (
    n,
    [theta, g, m, v, s, previousGradient],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      epsilon,
      stepSize,
      beta3,
      oneMinusBeta3,
      decayStep,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t4 = stepSize / (Math.sqrt(t3) + epsilon)
      const s0 = s[i]
      const t6 = beta3 * s0 + oneMinusBeta3 * t4
      const previousGradient0 = previousGradient[i]
      const m0 = m[i]
      const t9 = beta1 * m0 + oneMinusBeta1 * g0
      const t10 =
        theta0 -
        decayStep * theta0 -
        Math.min(t4, t6) * ((1 / (1 + Math.exp(-(previousGradient0 - g0)))) * t9)
      theta[i] = t10
      m[i] = t9
      v[i] = t3
      s[i] = t6
      previousGradient[i] = g0
    }
  },
  '1c7d4aa5709b50a1': (
    n,
    [theta, g, m, v, s, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, beta3, oneMinusBeta3],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t4 = stepSize / (Math.sqrt(t3) + epsilon)
      const s0 = s[i]
      const t6 = beta3 * s0 + oneMinusBeta3 * t4
      const previousGradient0 = previousGradient[i]
      const m0 = m[i]
      const t9 = beta1 * m0 + oneMinusBeta1 * g0
      const t10 = theta0 - (t4 + t6) * 0.5 * ((1 / (1 + Math.exp(-(previousGradient0 - g0)))) * t9)
      theta[i] = t10
      m[i] = t9
      v[i] = t3
      s[i] = t6
      previousGradient[i] = g0
    }
  },
  cf7cef08477b53a0: (
    n,
    [theta, g, m, v, s, previousGradient],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      epsilon,
      stepSize,
      beta3,
      oneMinusBeta3,
      weightDecay,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const t4 = beta2 * v0 + oneMinusBeta2 * (t3 * t3)
      const t5 = stepSize / (Math.sqrt(t4) + epsilon)
      const s0 = s[i]
      const t7 = beta3 * s0 + oneMinusBeta3 * t5
      const previousGradient0 = previousGradient[i]
      const m0 = m[i]
      const t10 = beta1 * m0 + oneMinusBeta1 * t3
      const t11 = theta0 - (t5 + t7) * 0.5 * ((1 / (1 + Math.exp(-(previousGradient0 - t3)))) * t10)
      theta[i] = t11
      m[i] = t10
      v[i] = t4
      s[i] = t7
      previousGradient[i] = t3
    }
  },
  '8b29d03e5eee8ddb': (
    n,
    [theta, g, m, v, s, previousGradient],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      epsilon,
      stepSize,
      beta3,
      oneMinusBeta3,
      decayStep,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t4 = stepSize / (Math.sqrt(t3) + epsilon)
      const s0 = s[i]
      const t6 = beta3 * s0 + oneMinusBeta3 * t4
      const previousGradient0 = previousGradient[i]
      const m0 = m[i]
      const t9 = beta1 * m0 + oneMinusBeta1 * g0
      const t10 =
        theta0 -
        decayStep * theta0 -
        (t4 + t6) * 0.5 * ((1 / (1 + Math.exp(-(previousGradient0 - g0)))) * t9)
      theta[i] = t10
      m[i] = t9
      v[i] = t3
      s[i] = t6
      previousGradient[i] = g0
    }
  },
  '75ccd7716fc50d08': (
    n,
    [theta, g, m, v, s, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, beta3, oneMinusBeta3],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t4 = stepSize / (Math.sqrt(t3) + epsilon)
      const s0 = s[i]
      const t6 = beta3 * s0 + oneMinusBeta3 * t4
      const previousGradient0 = previousGradient[i]
      const m0 = m[i]
      const t9 = beta1 * m0 + oneMinusBeta1 * g0
      const t10 =
        theta0 -
        Math.min(t4, t6) *
          ((9 * (1 / (1 + Math.exp(-(0.5 * Math.abs(previousGradient0 - g0))))) - 4) * t9)
      theta[i] = t10
      m[i] = t9
      v[i] = t3
      s[i] = t6
      previousGradient[i] = g0
    }
  },
  '04c0e434490e8553': (
    n,
    [theta, g, m, v, s, previousGradient],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      epsilon,
      stepSize,
      beta3,
      oneMinusBeta3,
      weightDecay,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const t4 = beta2 * v0 + oneMinusBeta2 * (t3 * t3)
      const t5 = stepSize / (Math.sqrt(t4) + epsilon)
      const s0 = s[i]
      const t7 = beta3 * s0 + oneMinusBeta3 * t5
      const previousGradient0 = previousGradient[i]
      const m0 = m[i]
      const t10 = beta1 * m0 + oneMinusBeta1 * t3
      const t11 =
        theta0 -
        Math.min(t5, t7) *
          ((9 * (1 / (1 + Math.exp(-(0.5 * Math.abs(previousGradient0 - t3))))) - 4) * t10)
      theta[i] = t11
      m[i] = t10
      v[i] = t4
      s[i] = t7
      previousGradient[i] = t3
    }
  },
  '32b3b120eadf0f68': (
    n,
    [theta, g, m, v, s, previousGradient],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      epsilon,
      stepSize,
      beta3,
      oneMinusBeta3,
      decayStep,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t4 = stepSize / (Math.sqrt(t3) + epsilon)
      const s0 = s[i]
      const t6 = beta3 * s0 + oneMinusBeta3 * t4
      const previousGradient0 = previousGradient[i]
      const m0 = m[i]
      const t9 = beta1 * m0 + oneMinusBeta1 * g0
      const t10 =
        theta0 -
        decayStep * theta0 -
        Math.min(t4, t6) *
          ((9 * (1 / (1 + Math.exp(-(0.5 * Math.abs(previousGradient0 - g0))))) - 4) * t9)
      theta[i] = t10
      m[i] = t9
      v[i] = t3
      s[i] = t6
      previousGradient[i] = g0
    }
  },
  '4866e94acb85fd05': (
    n,
    [theta, g, m, v, s, previousGradient],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, beta3, oneMinusBeta3],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t4 = stepSize / (Math.sqrt(t3) + epsilon)
      const s0 = s[i]
      const t6 = beta3 * s0 + oneMinusBeta3 * t4
      const previousGradient0 = previousGradient[i]
      const m0 = m[i]
      const t9 = beta1 * m0 + oneMinusBeta1 * g0
      const t10 =
        theta0 -
        (t4 + t6) *
          0.5 *
          ((9 * (1 / (1 + Math.exp(-(0.5 * Math.abs(previousGradient0 - g0))))) - 4) * t9)
      theta[i] = t10
      m[i] = t9
      v[i] = t3
      s[i] = t6
      previousGradient[i] = g0
    }
  },
  '2a4f6eacc854bac9': (
    n,
    [theta, g, m, v, s, previousGradient],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      epsilon,
      stepSize,
      beta3,
      oneMinusBeta3,
      weightDecay,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = g0 + weightDecay * theta0
      const t4 = beta2 * v0 + oneMinusBeta2 * (t3 * t3)
      const t5 = stepSize / (Math.sqrt(t4) + epsilon)
      const s0 = s[i]
      const t7 = beta3 * s0 + oneMinusBeta3 * t5
      const previousGradient0 = previousGradient[i]
      const m0 = m[i]
      const t10 = beta1 * m0 + oneMinusBeta1 * t3
      const t11 =
        theta0 -
        (t5 + t7) *
          0.5 *
          ((9 * (1 / (1 + Math.exp(-(0.5 * Math.abs(previousGradient0 - t3))))) - 4) * t10)
      theta[i] = t11
      m[i] = t10
      v[i] = t4
      s[i] = t7
      previousGradient[i] = t3
    }
  },
  a46b55061cda0e9a: (
    n,
    [theta, g, m, v, s, previousGradient],
    [
      beta1,
      oneMinusBeta1,
      beta2,
      oneMinusBeta2,
      epsilon,
      stepSize,
      beta3,
      oneMinusBeta3,
      decayStep,
    ],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const v0 = v[i]
      const g0 = g[i]
      const t3 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t4 = stepSize / (Math.sqrt(t3) + epsilon)
      const s0 = s[i]
      const t6 = beta3 * s0 + oneMinusBeta3 * t4
      const previousGradient0 = previousGradient[i]
      const m0 = m[i]
      const t9 = beta1 * m0 + oneMinusBeta1 * g0
      const t10 =
        theta0 -
        decayStep * theta0 -
        (t4 + t6) *
          0.5 *
          ((9 * (1 / (1 + Math.exp(-(0.5 * Math.abs(previousGradient0 - g0))))) - 4) * t9)
      theta[i] = t10
      m[i] = t9
      v[i] = t3
      s[i] = t6
      previousGradient[i] = g0
    }
  },
}
