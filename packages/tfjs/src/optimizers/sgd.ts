import { sgdLoops, surroundingsLoops } from '@diffgrad/arrays/kernels'
import { type OptimizerOptions, type SgdHyperparameters, sgd } from '@diffgrad/core'
import { serialization } from '@tensorflow/tfjs-core'
import { RuleOptimizer } from '../optimizer.ts'

/** Stochastic gradient descent, with momentum and Nesterov's look ahead on request. See `sgd` in @diffgrad/core. */
export class SGD extends RuleOptimizer<SgdHyperparameters> {
  static override get className(): string {
    return 'DiffgradSGD'
  }

  constructor(options?: OptimizerOptions<SgdHyperparameters>) {
    super(sgd, options, { ...surroundingsLoops, ...sgdLoops })
  }
}

serialization.registerClass(SGD)
