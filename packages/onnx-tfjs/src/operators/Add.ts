import { add } from '@tensorflow/tfjs-core'
import type { Operator } from '../operator.ts'

/** a + b, of which the smaller is repeated */
export const Add: Operator = (application) => application.input(0).with(application.input(1), add)
