import { mul, softplus, tanh } from '@tensorflow/tfjs-core'
import type { Operator } from '../operator.ts'

/** x·tanh(ln(1 + eˣ)) */
export const Mish: Operator = (application) =>
  application.input(0).map((x) => mul(x, tanh(softplus(x))))
