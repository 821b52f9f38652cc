import type { Value } from '../../ir/graph.ts'
import { staticShape } from '../../ir/value.ts'
import { elementCount } from '../../model/model.ts'
import { gemm, matMul, mul, reshape, sumTo, transposeMatrix } from '../../ops/builders.ts'
import type { GradientRule } from './gradient-rule.ts'

/** y = α·A·B + β·C with A or B transposed if `transA` or `transB` is set;  ∂A = α·∂y·Bᵀ, ∂B = α·Aᵀ·∂y, ∂C = β·Σ∂y */
export const Gemm: GradientRule = (operation, dy) => {
  const [a, b, c] = [operation.input(0), operation.input(1), operation.inputs[2]]
  const [transA, transB] = [operation.int('transA', 0) !== 0, operation.int('transB', 0) !== 0]
  const da = transA ? gemm(b, dy, { a: transB, b: true }) : gemm(dy, b, { b: !transB })
  const db = transB ? gemm(dy, a, { a: true, b: transA }) : gemm(a, dy, { a: !transA })
  const [alpha, beta] = [operation.float('alpha', 1), operation.float('beta', 1)]
  return [scaled(da, alpha), scaled(db, alpha), c && sumTo(scaled(dy, beta), c.shape)]
}

const scaled = (x: Value, factor: number): Value => (factor === 1 ? x : mul(x, factor))

/** y = A·B for every matrix of a batch;  ∂A = ∂y·Bᵀ, ∂B = Aᵀ·∂y, summed over broadcast batch axes */
export const MatMul: GradientRule = (operation, dy) => {
  const [a, b] = [operation.input(0), operation.input(1)]
  const left = a.shape.length === 1 ? reshape(a, [1, ...staticShape(a)]) : a
  const right = b.shape.length === 1 ? reshape(b, [...staticShape(b), 1]) : b
  const batch = staticShape(dy).slice(0, dy.shape.length - matrixAxes(a) - matrixAxes(b))
  const [rows = 1] = staticShape(left).slice(-2)
  const [columns = 1] = staticShape(right).slice(-1)
  const dz = reshape(dy, [...batch, rows, columns])
  const da = sumTo(matMul(dz, transposeMatrix(right)), left.shape)
  return [reshape(da, staticShape(a)), reshape(rightGradient(left, right, dz), staticShape(b))]
}

const matrixAxes = ({ shape }: Value): number => Math.min(shape.length, 2) - 1

/** If B is one matrix for the whole batch, A and ∂y are flattened to one tall matrix each. */
function rightGradient(left: Value, right: Value, dz: Value): Value {
  const sameBatch = left.shape.length === dz.shape.length
  if (right.shape.length > 2 || !sameBatch)
    return sumTo(matMul(transposeMatrix(left), dz), right.shape)
  const tall = (x: Value): Value => {
    const shape = staticShape(x)
    return reshape(x, [elementCount(shape.slice(0, -1)), shape.at(-1) ?? 1])
  }
  return gemm(tall(left), tall(dz), { a: true })
}
