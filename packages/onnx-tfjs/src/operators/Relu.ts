import { relu } from '@tensorflow/tfjs-core'
import type { Operator } from '../operator.ts'

/** max(x, 0) */
export const Relu: Operator = (application) => application.input(0).map((x) => relu(x))
