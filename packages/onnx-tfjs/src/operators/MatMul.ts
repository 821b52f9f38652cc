import { matMul } from '@tensorflow/tfjs-core'
import type { Operator } from '../operator.ts'
import { Value } from '../value.ts'

/** Products of matrices, which lie on the last two axes. */
export const MatMul: Operator = (application) =>
  Value.of(matMul(application.input(0).onnx, application.input(1).onnx))
