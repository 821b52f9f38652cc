import { describeNode, type Node, OnnxError } from '@diffgrad/onnx'
import {
  add,
  matMul,
  mul,
  relu,
  reshape,
  softplus,
  tanh,
  transpose,
  util,
} from '@tensorflow/tfjs-core'
import {
  averagePool,
  batchNormalization,
  conv,
  globalAveragePool,
  maxPool,
} from './image-operators.ts'
import { LayoutTensor } from './layout-tensor.ts'
import type { Operator } from './node-context.ts'

/** y = A·B + c, with A or B transposed if the attributes say so. */
const gemm: Operator = (node) => {
  node.require('alpha', 1, node.float('alpha', 1))
  node.require('beta', 1, node.float('beta', 1))
  const [a, b] = [node.input(0).onnx, node.input(1).onnx]
  const [transposeA, transposeB] = ['transA', 'transB'].map((name) => node.int(name, 0) === 1)
  const product = matMul(a, b, transposeA, transposeB)
  const c = node.optionalInput(2)
  return LayoutTensor.onnx(c ? add(product, c.onnx) : product)
}

/** The axes before `axis` become rows, the others columns. */
const flatten: Operator = (node) => {
  const x = node.input(0).onnx
  const axis = node.int('axis', 1)
  return LayoutTensor.onnx(reshape(x, [util.sizeFromShape(x.shape.slice(0, axis)), -1]))
}

/** In the new shape, 0 keeps the length of an axis and −1 is computed from the others. */
const reshapeOperator: Operator = (node) => {
  const x = node.input(0).onnx
  const shape = node.constantInput(1)
  const lengths = shape.map((length, axis) => (length === 0 ? x.shape[axis] : length))
  return LayoutTensor.onnx(reshape(x, lengths))
}

/** Permutes axes; by default reverses their order. */
const transposeOperator: Operator = (node) => {
  const x = node.input(0).onnx
  const reversed = x.shape.map((_, axis) => axis).reverse()
  return LayoutTensor.onnx(transpose(x, [...(node.ints('perm') ?? reversed)]))
}

/** The supported operators of ONNX's standard domain. */
const operators: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  // Elementwise.
  ['Add', (node) => node.input(0).combine(node.input(1), add)],
  ['Mul', (node) => node.input(0).combine(node.input(1), mul)],
  ['Relu', (node) => node.input(0).map((x) => relu(x))],
  ['Mish', (node) => node.input(0).map((x) => mul(x, tanh(softplus(x))))],
  // Matrices.
  ['MatMul', (node) => LayoutTensor.onnx(matMul(node.input(0).onnx, node.input(1).onnx))],
  ['Gemm', gemm],
  // Shapes.
  ['Flatten', flatten],
  ['Reshape', reshapeOperator],
  ['Transpose', transposeOperator],
  // Images.
  ['Conv', conv],
  ['MaxPool', maxPool],
  ['AveragePool', averagePool],
  ['GlobalAveragePool', globalAveragePool],
  ['BatchNormalization', batchNormalization],
])

/** @throws {OnnxError} If the operator of a node is not supported. */
export function operatorOf(node: Node): Operator {
  const operator = node.domain === '' ? operators.get(node.operator) : undefined
  if (operator) return operator
  throw new OnnxError(`${describeNode(node)}: TensorFlow.js does not support this operator`)
}
