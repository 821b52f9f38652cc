import { mean, type Tensor4D } from '@tensorflow/tfjs-core'
import type { Operator } from '../operator.ts'
import { Value } from '../value.ts'

/** The mean of every channel. */
export const GlobalAveragePool: Operator = (application) =>
  Value.ofImage(mean<Tensor4D>(application.input(0).image, [1, 2], true))
