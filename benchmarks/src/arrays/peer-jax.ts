import { blockUntilReady, defaultDevice, init, jit, numpy as np } from '@jax-js/jax'
import { gradientAt, initialAt, type PrepareOptimizer } from './workloads.ts'

const [beta1, beta2, epsilon, learningRate] = [0.9, 0.999, 1e-8, 1e-3]

/** Adam of one tensor, fused by `jit`. jax-js frees its arguments, except those taken by `ref`. */
const update = jit(
  (
    p: np.Array,
    g: np.Array,
    m0: np.Array,
    v0: np.Array,
    stepSize: np.Array,
    scaledEpsilon: np.Array,
  ) => {
    const m = m0.mul(beta1).add(g.ref.mul(1 - beta1))
    const v = v0.mul(beta2).add(g.ref.mul(g).mul(1 - beta2))
    const moved = p.sub(stepSize.mul(m.ref).div(np.sqrt(v.ref).add(scaledEpsilon)))
    return [moved, m, v]
  },
)

const adam: PrepareOptimizer = async ({ sizes }) => {
  await init('wasm')
  defaultDevice('wasm')
  const array = (size: number, at: (i: number) => number): np.Array =>
    np.array(Float32Array.from({ length: size }, (_, i) => at(i)))
  const gradients = sizes.map((size) => array(size, gradientAt))
  let states = sizes.map((size) => [
    array(size, initialAt),
    array(size, () => 0),
    array(size, () => 0),
  ])
  let t = 0
  return async () => {
    t++
    const correction = Math.sqrt(1 - beta2 ** t)
    const stepSize = np.array((learningRate * correction) / (1 - beta1 ** t))
    const scaledEpsilon = np.array(epsilon * correction)
    states = states.map(([p, m, v], k) =>
      update(p, gradients[k].ref, m, v, stepSize.ref, scaledEpsilon.ref),
    )
    stepSize.dispose()
    scaledEpsilon.dispose()
    await blockUntilReady(states)
  }
}

/** Adam in jax-js, as one jitted function. */
export const optimizers: Readonly<Record<string, PrepareOptimizer>> = {
  'jax-js Adam (jit, wasm)': adam,
}
