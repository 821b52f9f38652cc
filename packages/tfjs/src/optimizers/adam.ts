import { adamLoops, surroundingsLoops } from '@diffgrad/arrays/kernels'
import { type AdamOptions, adam, type OptimizerOptions } from '@diffgrad/core'
import { serialization } from '@tensorflow/tfjs-core'
import { RuleOptimizer } from '../optimizer.ts'

/** Adam, with AMSGrad on request. See `adam` in @diffgrad/core. */
export class Adam extends RuleOptimizer<AdamOptions> {
  static override get className(): string {
    return 'DiffgradAdam'
  }

  constructor(options?: OptimizerOptions<AdamOptions>) {
    super(adam, options, { ...surroundingsLoops, ...adamLoops })
  }
}

serialization.registerClass(Adam)
