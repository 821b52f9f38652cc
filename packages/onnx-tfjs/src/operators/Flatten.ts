import { reshape, util } from '@tensorflow/tfjs-core'
import type { Operator } from '../operator.ts'
import { Value } from '../value.ts'

/** A matrix: the axes before `axis` are its rows, the others its columns. */
export const Flatten: Operator = (application) => {
  const x = application.input(0).onnx
  const axis = application.integer('axis', 1)
  return Value.of(reshape(x, [util.sizeFromShape(x.shape.slice(0, axis)), -1]))
}
