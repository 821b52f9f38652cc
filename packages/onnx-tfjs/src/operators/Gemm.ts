import { add, matMul } from '@tensorflow/tfjs-core'
import type { Operator } from '../operator.ts'
import { Value } from '../value.ts'

/** y = A·B + c, either transposed if so told */
export const Gemm: Operator = (application) => {
  application.require('alpha', 1, application.float('alpha', 1))
  application.require('beta', 1, application.float('beta', 1))
  const [a, b] = [application.input(0).onnx, application.input(1).onnx]
  const [transposeA, transposeB] = ['transA', 'transB'].map((name) => application.integer(name, 0))
  const product = matMul(a, b, transposeA === 1, transposeB === 1)
  const c = application.optional(2)
  return Value.of(c ? add(product, c.onnx) : product)
}
