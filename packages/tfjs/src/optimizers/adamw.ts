import { type AdamOptions, adamW, type OptimizerOptions } from '@diffgrad/core'
import { generatedAdam, generatedTransforms } from '@diffgrad/kernels'
import { serialization } from '@tensorflow/tfjs-core'
import { RuleOptimizer } from '../optimizer.ts'

/** Adam with decoupled weight decay, 0.01 by default. See `adamW` in @diffgrad/core. */
export class AdamW extends RuleOptimizer<AdamOptions> {
  static override get className(): string {
    return 'DiffgradAdamW'
  }

  constructor(options?: OptimizerOptions<AdamOptions>) {
    super(adamW, options, { ...generatedTransforms, ...generatedAdam })
  }
}

serialization.registerClass(AdamW)
