import type { Value } from '../ir/graph.ts'
import { apply } from './apply.ts'
import { div, matMul, reduceSum, sqrt, square } from './builders.ts'

/** The spectral norm of a matrix after a power iteration. */
export interface PowerIteration {
  /** σ = uᵀ·W·v, a scalar. Its gradient is ∂σ/∂W = u·vᵀ: the vectors count as constants. */
  readonly sigma: Value
  readonly u: Value
  readonly v: Value
}

/**
 * One step of the power iteration: v ← Wᵀ·u / ‖Wᵀ·u‖, u ← W·v / ‖W·v‖, as `torch.nn.utils.spectral_norm`
 * makes in every training forward.
 *
 * @param w - rows × columns.
 * @param u - rows.
 * @see Miyato et al., "Spectral Normalization for Generative Adversarial Networks", arXiv:1802.05957,
 * algorithm 1.
 */
export function iteratePower(w: Value, u: Value): PowerIteration {
  const { graph } = w
  const v = graph.stopGradient(unit(matMul(u, w)))
  const product = matMul(w, v)
  const nextU = graph.stopGradient(unit(product))
  return { sigma: matMul(nextU, product), u: nextU, v }
}

/** x / max(‖x‖, 10⁻¹²) */
const unit = (x: Value): Value =>
  div(x, apply('Clip', [sqrt(reduceSum(square(x), [0])), x.graph.scalar(1e-12)]))
