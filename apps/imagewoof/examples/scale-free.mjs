/**
 * diffGrad with a friction that acts, for `--optimizer` and `compare`. The published ξ = σ(|Δg|) stays at
 * ½ because gradients of networks are small; this one measures their change in units of their own size:
 *
 *   ξ = σ(|g − p| / √v̂)          v̂ = v/(1 − β₂ᵗ), p the previous gradient
 *
 * It does worse than diffGrad: docs/evidence.md has the figures.
 */
export default {
  name: 'scaleFree',
  defaults: {
    ...{ learningRate: 1e-3, weightDecay: 0, decay: 'l2' },
    ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  },
  stateNames: () => ['m', 'v', 'p'],
  intermediates: ['xi'],
  coefficients({ learningRate, beta1, beta2, epsilon }, t) {
    const root = Math.sqrt(1 - beta2 ** t) // √v̂ = √v / root
    const stepSize = (learningRate * root) / (1 - beta1 ** t)
    return {
      beta1,
      oneMinusBeta1: 1 - beta1,
      beta2,
      oneMinusBeta2: 1 - beta2,
      epsilon,
      root,
      stepSize,
    }
  },
  update({ constant, add, sub, mul, div, abs, square, sqrt, sigmoid }, { g, p, ...state }, c) {
    const m = add(mul(c.beta1, state.m), mul(c.oneMinusBeta1, g))
    const v = add(mul(c.beta2, state.v), mul(c.oneMinusBeta2, square(g)))
    const xi = sigmoid(div(mul(c.root, abs(sub(g, p))), add(sqrt(v), constant(1e-12))))
    const step = div(mul(c.stepSize, mul(xi, m)), add(sqrt(v), c.epsilon))
    return { step, m, v, p: g, xi }
  },
}
