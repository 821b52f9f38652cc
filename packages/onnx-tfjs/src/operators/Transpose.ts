import { transpose } from '@tensorflow/tfjs-core'
import type { Operator } from '../operator.ts'
import { Value } from '../value.ts'

/** Axes in another order, by default the opposite one. */
export const Transpose: Operator = (application) => {
  const x = application.input(0).onnx
  const opposite = x.shape.map((_, axis) => axis).reverse()
  return Value.of(transpose(x, [...application.integers('perm', opposite)]))
}
