import { defineRule, type UpdateRule } from '@diffgrad/core'

/**
 * The traffic of diffGrad, with next to no arithmetic: reads θ, g, m, v and the previous gradient, and
 * writes all but g, 36 bytes a parameter in float32. The limit that memory sets to any kernel.
 */
export const touch: UpdateRule = defineRule({
  name: 'touch',
  defaults: { learningRate: 1e-9, weightDecay: 0, decay: 'l2' },
  stateNames: () => ['m', 'v', 'previousGradient'],
  coefficients: ({ learningRate }) => ({ c: learningRate }),
  update: ({ add, mul }, { g, m, v, previousGradient }, { c }) => ({
    step: mul(c, previousGradient),
    m: add(m, mul(c, g)),
    v: add(v, mul(c, g)),
    previousGradient: g,
  }),
})
