import { gemm, mul, sumTo } from '../../graph/operations.ts'
import type { Value } from '../../graph/value.ts'
import type { Rule } from '../rule.ts'

/** y = α·A·B + β·C with A or B transposed where told;  ∂A = α·∂y·Bᵀ, ∂B = α·Aᵀ·∂y, ∂C = β·Σ∂y */
export const Gemm: Rule = (operation, dy) => {
  const [a, b, c] = [operation.input(0), operation.input(1), operation.inputs[2]]
  const [turnedA, turnedB] = [operation.int('transA', 0) !== 0, operation.int('transB', 0) !== 0]
  const da = turnedA ? gemm(b, dy, { a: turnedB, b: true }) : gemm(dy, b, { b: !turnedB })
  const db = turnedB ? gemm(dy, a, { a: true, b: turnedA }) : gemm(a, dy, { a: !turnedA })
  const [alpha, beta] = [operation.float('alpha', 1), operation.float('beta', 1)]
  return [times(da, alpha), times(db, alpha), c && sumTo(times(dy, beta), c.shape)]
}

const times = (x: Value, factor: number): Value => (factor === 1 ? x : mul(x, factor))
