// Written by scripts/generate.ts.
import type { GeneratedKernels } from '../generated-kernels.ts'

/** The kernels of the transforms around a rule. */
export const generatedTransforms: GeneratedKernels = {
  d2c2fcedbab8f119: (n, [g, gradient], [weight]) => {
    for (let i = 0; i < n; i++) {
      const g0 = g[i]
      const t1 = weight * g0
      gradient[i] = t1
    }
  },
  '26f8a0d49965992a': (n, [gradient, g], [weight]) => {
    for (let i = 0; i < n; i++) {
      const gradient0 = gradient[i]
      const g0 = g[i]
      const t2 = gradient0 + weight * g0
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
  b7bae80f93db61e1: (n, [from, to]) => {
    for (let i = 0; i < n; i++) {
      const from0 = from[i]
      to[i] = from0
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
  d819928327aed37a: (n, [theta, ema], [oneMinusDecay]) => {
    for (let i = 0; i < n; i++) {
      const ema0 = ema[i]
      const theta0 = theta[i]
      const t2 = ema0 + oneMinusDecay * (theta0 - ema0)
      ema[i] = t2
    }
  },
  '45b1ce292fb7850d': (n, [theta, ema]) => {
    for (let i = 0; i < n; i++) {
      const ema0 = ema[i]
      const theta0 = theta[i]
      theta[i] = ema0
      ema[i] = theta0
    }
  },
}
