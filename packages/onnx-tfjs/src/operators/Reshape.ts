import { reshape } from '@tensorflow/tfjs-core'
import type { Operator } from '../operator.ts'
import { Value } from '../value.ts'

/** The same elements on other axes; 0 keeps the length of an axis, −1 stands for what is left. */
export const Reshape: Operator = (application) => {
  const x = application.input(0).onnx
  const shape = application.constant(1)
  return Value.of(
    reshape(
      x,
      shape.map((size, axis) => (size === 0 ? x.shape[axis] : size)),
    ),
  )
}
