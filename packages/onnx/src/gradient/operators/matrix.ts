import { sizes, type Value } from '../../ir/value.ts'
import { elementCount } from '../../model/model.ts'
import { gemm, matMul, mul, reshape, sumTo, transposeMatrix } from '../../ops/operations.ts'
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

/** y = A·B for every matrix of a batch;  ∂A = ∂y·Bᵀ, ∂B = Aᵀ·∂y, summed where a batch was repeated */
export const MatMul: Rule = (operation, dy) => {
  const [a, b] = [operation.input(0), operation.input(1)]
  const left = a.shape.length === 1 ? reshape(a, [1, ...sizes(a)]) : a
  const right = b.shape.length === 1 ? reshape(b, [...sizes(b), 1]) : b
  const batch = sizes(dy).slice(0, dy.shape.length - matrixAxes(a) - matrixAxes(b))
  const [rows = 1] = sizes(left).slice(-2)
  const [columns = 1] = sizes(right).slice(-1)
  const dz = reshape(dy, [...batch, rows, columns])
  const da = sumTo(matMul(dz, transposeMatrix(right)), left.shape)
  return [reshape(da, sizes(a)), reshape(rightGradient(left, right, dz), sizes(b))]
}

const matrixAxes = ({ shape }: Value): number => Math.min(shape.length, 2) - 1

/** Where one matrix serves a whole batch, the batch is one tall matrix. */
function rightGradient(left: Value, right: Value, dz: Value): Value {
  const sameBatch = left.shape.length === dz.shape.length
  if (right.shape.length > 2 || !sameBatch)
    return sumTo(matMul(transposeMatrix(left), dz), right.shape)
  const tall = (x: Value): Value => {
    const shape = sizes(x)
    return reshape(x, [elementCount(shape.slice(0, -1)), shape.at(-1) ?? 1])
  }
  return gemm(tall(left), tall(dz), { a: true })
}
