// Written by scripts/generate.ts.
import type { GeneratedKernels } from '../generated-kernels.ts'

/** The kernels of SGD. */
export const generatedSGD: GeneratedKernels = {
  a8791b686d4612ba: (n, [theta, g], [learningRate, ,]) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const g0 = g[i]
      const t2 = theta0 - learningRate * g0
      theta[i] = t2
    }
  },
  '312a228d72faef98': (n, [theta, g], [learningRate, , , weightDecay]) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const g0 = g[i]
      const t2 = theta0 - learningRate * (g0 + weightDecay * theta0)
      theta[i] = t2
    }
  },
  e56b86e218131941: (n, [theta, g], [learningRate, , , decayStep]) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const g0 = g[i]
      const t2 = theta0 - decayStep * theta0 - learningRate * g0
      theta[i] = t2
    }
  },
  '967e417fb5e19919': (n, [theta, g, m], [learningRate, momentum, oneMinusDampening]) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = momentum * m0 + oneMinusDampening * g0
      const t4 = theta0 - learningRate * t3
      theta[i] = t4
      m[i] = t3
    }
  },
  a165e1a29d492000: (
    n,
    [theta, g, m],
    [learningRate, momentum, oneMinusDampening, weightDecay],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = momentum * m0 + oneMinusDampening * (g0 + weightDecay * theta0)
      const t4 = theta0 - learningRate * t3
      theta[i] = t4
      m[i] = t3
    }
  },
  '7fc9a0d12b737ba9': (
    n,
    [theta, g, m],
    [learningRate, momentum, oneMinusDampening, decayStep],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const m0 = m[i]
      const g0 = g[i]
      const t3 = momentum * m0 + oneMinusDampening * g0
      const t4 = theta0 - decayStep * theta0 - learningRate * t3
      theta[i] = t4
      m[i] = t3
    }
  },
  '845cf28352844042': (n, [theta, g, m], [learningRate, momentum, oneMinusDampening]) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const g0 = g[i]
      const m0 = m[i]
      const t3 = momentum * m0 + oneMinusDampening * g0
      const t4 = theta0 - learningRate * (g0 + momentum * t3)
      theta[i] = t4
      m[i] = t3
    }
  },
  '2620a018ce889df5': (
    n,
    [theta, g, m],
    [learningRate, momentum, oneMinusDampening, weightDecay],
  ) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const g0 = g[i]
      const t2 = g0 + weightDecay * theta0
      const m0 = m[i]
      const t4 = momentum * m0 + oneMinusDampening * t2
      const t5 = theta0 - learningRate * (t2 + momentum * t4)
      theta[i] = t5
      m[i] = t4
    }
  },
  b116981d7926582e: (n, [theta, g, m], [learningRate, momentum, oneMinusDampening, decayStep]) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      const g0 = g[i]
      const m0 = m[i]
      const t3 = momentum * m0 + oneMinusDampening * g0
      const t4 = theta0 - decayStep * theta0 - learningRate * (g0 + momentum * t3)
      theta[i] = t4
      m[i] = t3
    }
  },
}
