// Written by scripts/generate.ts.
import type { GeneratedKernels } from '../generated-kernels.ts'

/** The kernels of SGD. */
export const generatedSGD: GeneratedKernels = {
  '6b09a66998ec7493': (n, [theta, g], [learningRate]) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const g0 = g[i]
      const t2 = theta0 - learningRate * g0
      theta[i] = t2
    }
  },
  da6a3e75821a6221: (n, [theta, g], [learningRate, , weightDecay]) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const g0 = g[i]
      const t2 = theta0 - learningRate * (g0 + weightDecay * theta0)
      theta[i] = t2
    }
  },
  ec56b9bde84f0e2c: (n, [theta, g], [learningRate, , decayStep]) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const g0 = g[i]
      const t2 = theta0 - decayStep * theta0 - learningRate * g0
      theta[i] = t2
    }
  },
  '83b128477f9e63b6': (n, [theta, g, m], [learningRate, momentum]) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = momentum * m0 + g0
      const t4 = theta0 - learningRate * t3
      theta[i] = t4
      m[i] = t3
    }
  },
  '54e4778a72166869': (n, [theta, g, m], [learningRate, momentum, weightDecay]) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = momentum * m0 + (g0 + weightDecay * theta0)
      const t4 = theta0 - learningRate * t3
      theta[i] = t4
      m[i] = t3
    }
  },
  '778756d80f9b9870': (n, [theta, g, m], [learningRate, momentum, decayStep]) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = momentum * m0 + g0
      const t4 = theta0 - decayStep * theta0 - learningRate * t3
      theta[i] = t4
      m[i] = t3
    }
  },
  c28e86c7b4474e3c: (n, [theta, g, m], [learningRate, momentum]) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const g0 = g[i]
      const m0 = m[i]
      const t3 = momentum * m0 + g0
      const t4 = theta0 - learningRate * (g0 + momentum * t3)
      theta[i] = t4
      m[i] = t3
    }
  },
  '0ae494617454aff8': (n, [theta, g, m], [learningRate, momentum, weightDecay]) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const g0 = g[i]
      const t2 = g0 + weightDecay * theta0
      const m0 = m[i]
      const t4 = momentum * m0 + t2
      const t5 = theta0 - learningRate * (t2 + momentum * t4)
      theta[i] = t5
      m[i] = t4
    }
  },
  '20099832240739f1': (n, [theta, g, m], [learningRate, momentum, decayStep]) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const g0 = g[i]
      const m0 = m[i]
      const t3 = momentum * m0 + g0
      const t4 = theta0 - decayStep * theta0 - learningRate * (g0 + momentum * t3)
      theta[i] = t4
      m[i] = t3
    }
  },
}
