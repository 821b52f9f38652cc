// Written by scripts/generate.ts.
import type { GeneratedKernels } from '../generated-kernels.ts'

/** The kernels of RAdam. */
export const generatedRAdam: GeneratedKernels = {
  ff57e9cd9a57cf8a: (n, [theta, g, m, v], [beta1, oneMinusBeta1, beta2, oneMinusBeta2, ,]) => {
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
    }
  },
  c345df1924d4928f: (
    n,
    [theta, g, m, v],
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
    }
  },
  '5759984838410b02': (n, [theta, g, m, v], [beta1, oneMinusBeta1, beta2, oneMinusBeta2, , ,]) => {
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
    }
  },
  d39b690b019ca239: (
    n,
    [theta, g, m, v],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = beta1 * m0 + oneMinusBeta1 * g0
      const v0 = v[i]
      const t5 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t6 = theta0 - (stepSize * t3) / (Math.sqrt(t5) + epsilon)
      theta[i] = t6
      m[i] = t3
      v[i] = t5
    }
  },
  ac10fb76842563e3: (
    n,
    [theta, g, m, v],
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
      const t7 = theta0 - (stepSize * t4) / (Math.sqrt(t6) + epsilon)
      theta[i] = t7
      m[i] = t4
      v[i] = t6
    }
  },
  ca681191d3606310: (
    n,
    [theta, g, m, v],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, stepSize, decayStep],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = beta1 * m0 + oneMinusBeta1 * g0
      const v0 = v[i]
      const t5 = beta2 * v0 + oneMinusBeta2 * (g0 * g0)
      const t6 = theta0 - decayStep * theta0 - (stepSize * t3) / (Math.sqrt(t5) + epsilon)
      theta[i] = t6
      m[i] = t3
      v[i] = t5
    }
  },
  bff358915d2e9539: (
    n,
    [theta, g, m, v],
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
    }
  },
  '61fcccd7ffd0090e': (
    n,
    [theta, g, m, v],
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
    }
  },
  '5d90bcd5dedf4ea1': (
    n,
    [theta, g, m, v],
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
    }
  },
}
