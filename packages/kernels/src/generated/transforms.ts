// Written by scripts/generate.ts.
import type { GeneratedKernels } from '../generated-kernels.ts'

/** The kernels of the transforms around a rule. */
export const generatedTransforms: GeneratedKernels = {
  '873f11556c41ed07': (n, [g, gradient], [share]) => {
    for (let i = 0; i < n; i++) {
      const g0 = g[i]
      const t1 = share * g0
      gradient[i] = t1
    }
  },
  '2905ced1994478a4': (n, [gradient, g], [share]) => {
    for (let i = 0; i < n; i++) {
      const gradient0 = gradient[i]
      const g0 = g[i]
      const t2 = gradient0 + share * g0
      gradient[i] = t2
    }
  },
  '6587e1692d0596d7': (n, [gradient], [lower, upper]) => {
    for (let i = 0; i < n; i++) {
      const gradient0 = gradient[i]
      const t1 = Math.max(lower, Math.min(gradient0, upper))
      gradient[i] = t1
    }
  },
  a2d98e517d25ba93: (n, [gradient], [factor]) => {
    for (let i = 0; i < n; i++) {
      const gradient0 = gradient[i]
      const t1 = factor * gradient0
      gradient[i] = t1
    }
  },
  a427a0732ab4a26d: (n, [theta, slow]) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      slow[i] = theta0
    }
  },
  fa39b0ab9824e1c2: (n, [theta, slow], [alpha]) => {
    for (let i = 0; i < n; i++) {
      const slow0 = slow[i]
      const theta0 = theta[i]
      const t2 = slow0 + alpha * (theta0 - slow0)
      theta[i] = t2
      slow[i] = t2
    }
  },
  '66bbf2b11d661541': (n, [theta, average]) => {
    for (let i = 0; i < n; i++) {
      const theta0 = theta[i]
      average[i] = theta0
    }
  },
  '9cd7d5cfddfc8990': (n, [theta, average], [oneMinusDecay]) => {
    for (let i = 0; i < n; i++) {
      const average0 = average[i]
      const theta0 = theta[i]
      const t2 = average0 + oneMinusDecay * (theta0 - average0)
      average[i] = t2
    }
  },
  '57801a4aa2a4921b': (n, [theta, average]) => {
    for (let i = 0; i < n; i++) {
      const average0 = average[i]
      const theta0 = theta[i]
      theta[i] = average0
      average[i] = theta0
    }
  },
}
