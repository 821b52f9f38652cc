import { adamLoops, surroundingsLoops } from '@diffgrad/arrays/kernels'
import { type AdamHyperparameters, adam, type OptimizerOptions } from '@diffgrad/core'
import { serialization } from '@tensorflow/tfjs-core'
import { RuleOptimizer } from '../optimizer.ts'

/** Adam, with AMSGrad on request. See `adam` in @diffgrad/core. */
export class Adam extends RuleOptimizer<AdamHyperparameters> {
  static override get className(): string {
    return 'DiffgradAdam'
  }

  constructor(options?: OptimizerOptions<AdamHyperparameters>) {
    super(adam, options, { ...surroundingsLoops, ...adamLoops })
  }
}

serialization.registerClass(Adam)
