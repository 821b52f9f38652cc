import { type OptimizerOptions, type SgdOptions, sgd } from '@diffgrad/core'
import { generatedSGD, generatedTransforms } from '@diffgrad/kernels'
import { serialization } from '@tensorflow/tfjs-core'
import { RuleOptimizer } from '../optimizer.ts'

/** Stochastic gradient descent, with momentum and Nesterov's look ahead on request. See `sgd` in @diffgrad/core. */
export class SGD extends RuleOptimizer<SgdOptions> {
  static override get className(): string {
    return 'DiffgradSGD'
  }

  constructor(options?: OptimizerOptions<SgdOptions>) {
    super(sgd, options, { ...generatedTransforms, ...generatedSGD })
  }
}

serialization.registerClass(SGD)
