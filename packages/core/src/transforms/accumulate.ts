import { defineKernel, type Kernel } from '../kernel.ts'

/** gradient ← w·g, the first term of a weighted sum. */
export const setGradient: Kernel = defineKernel({
  name: 'set gradient',
  reads: ['g'],
  writes: ['gradient'],
  coefficients: ['weight'],
  evaluate: ({ mul }, { g }, { weight }) => ({ gradient: mul(weight, g) }),
})

/** gradient ← gradient + w·g. */
export const accumulateGradient: Kernel = defineKernel({
  name: 'accumulate gradient',
  reads: ['gradient', 'g'],
  writes: ['gradient'],
  coefficients: ['weight'],
  evaluate: ({ add, mul }, { gradient, g }, { weight }) => ({
    gradient: add(gradient, mul(weight, g)),
  }),
})
