import { einsumLabels, einsumSizes } from '../../analysis/shapes/matrix.ts'
import type { Operation, Value } from '../../ir/graph.ts'
import { axisSize, staticShape } from '../../ir/value.ts'
import { elementCount } from '../../model/model.ts'
import { apply } from '../../ops/apply.ts'
import { expand, gemm, matMul, mul, reshape, sumTo, transposeMatrix } from '../../ops/builders.ts'
import type { GradientRule } from './gradient-rule.ts'

/**
 * y = Σ x₁·…·xₙ over the axes that y lacks;  ∂xᵢ = Σ ∂y·(all others) over the axes that xᵢ lacks. Axes that
 * only xᵢ has are repeated, and of an axis that xᵢ names twice the diagonal is filled.
 */
export const Einsum: GradientRule = (operation, dy) => {
  const labels = einsumLabels(operation)
  const sizes = einsumSizes(operation, labels)
  return operation.inputs.map((_, i) => {
    const own = labels.inputs[i] ?? ''
    const others = labels.inputs.flatMap((name, j) => (j === i ? [] : [[name, j] as const]))
    const unique = [...new Set(own)]
    const names = [labels.output, ...others.map(([name]) => name)]
    const kept = unique.filter((label) => names.some((name) => name.includes(label))).join('')
    const values = others.map(([, j]) => operation.input(j))
    const sum = apply('Einsum', [dy, ...values], { equation: `${names.join(',')}->${kept}` })
    const sizeOf = (label: string): number => Number(sizes.get(label) ?? 1)
    const lengths = unique.map((label) =>
      kept.includes(label) ? axisSize(sum, kept.indexOf(label)) : 1,
    )
    const repeated = expand(reshape(sum, lengths), unique.map(sizeOf))
    return sumTo(onDiagonal(operation, repeated, unique.join(''), own), operation.input(i).shape)
  })
}

/** Puts the axes of a value, named by `labels`, on the diagonals of a shape whose axes `own` names. */
function onDiagonal(operation: Operation, value: Value, labels: string, own: string): Value {
  if (own === labels) return value
  const size = (label: string): number => staticShape(value)[labels.indexOf(label)] ?? 1
  const first = Array.from(own, (label, axis) => (own.indexOf(label) === axis ? size(label) : 1))
  return Array.from(own).reduce(
    (product, label, axis) => {
      const before = own.indexOf(label)
      if (before === axis) return product
      const n = size(label)
      const data = new Float32Array(operation.constantLength([n, n]))
      for (let k = 0; k < n; k++) data[k * n + k] = 1
      const shape = Array.from(own, (_, at) => (at === before || at === axis ? n : 1))
      return mul(product, value.graph.constant({ type: 'float32', shape, data }))
    },
    reshape(value, first),
  )
}

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
