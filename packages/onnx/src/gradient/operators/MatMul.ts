import { gemm, matMul, reshape, sumTo, transposeMatrix } from '../../graph/operations.ts'
import { sizes, type Value } from '../../graph/value.ts'
import { count } from '../../model/model.ts'
import type { Rule } from '../rule.ts'

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
    return reshape(x, [count(shape.slice(0, -1)), shape.at(-1) ?? 1])
  }
  return gemm(tall(left), tall(dz), { a: true })
}
