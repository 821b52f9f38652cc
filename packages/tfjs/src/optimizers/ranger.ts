import { type OptimizerOptions, type RAdamOptions, ranger } from '@diffgrad/core'
import { generatedRAdam, generatedTransforms } from '@diffgrad/kernels'
import { serialization } from '@tensorflow/tfjs-core'
import { RuleOptimizer } from '../optimizer.ts'

/** RAdam on centralized gradients, followed by Lookahead. See `ranger` in @diffgrad/core. */
export class Ranger extends RuleOptimizer<RAdamOptions> {
  static override get className(): string {
    return 'DiffgradRanger'
  }

  constructor(options?: OptimizerOptions<RAdamOptions>) {
    super(ranger, options, { ...generatedTransforms, ...generatedRAdam })
  }
}

serialization.registerClass(Ranger)
