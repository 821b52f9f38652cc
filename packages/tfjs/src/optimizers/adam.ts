import { type AdamOptions, adam, type OptimizerOptions } from '@diffgrad/core'
import { generatedAdam, generatedTransforms } from '@diffgrad/kernels'
import { serialization } from '@tensorflow/tfjs-core'
import { RuleOptimizer } from '../optimizer.ts'

/** Adam, with AMSGrad on request. See `adam` in @diffgrad/core. */
export class Adam extends RuleOptimizer<AdamOptions> {
  static override get className(): string {
    return 'DiffgradAdam'
  }

  constructor(options?: OptimizerOptions<AdamOptions>) {
    super(adam, options, { ...generatedTransforms, ...generatedAdam })
  }
}

serialization.registerClass(Adam)
