import { adamLoops, surroundingsLoops } from '@diffgrad/arrays/kernels'
import { type AdamHyperparameters, adamW, type OptimizerOptions } from '@diffgrad/core'
import { serialization } from '@tensorflow/tfjs-core'
import { RuleOptimizer } from '../optimizer.ts'

/** Adam with decoupled weight decay, 0.01 by default. See `adamW` in @diffgrad/core. */
export class AdamW extends RuleOptimizer<AdamHyperparameters> {
  static override get className(): string {
    return 'DiffgradAdamW'
  }

  constructor(options?: OptimizerOptions<AdamHyperparameters>) {
    super(adamW, options, { ...surroundingsLoops, ...adamLoops })
  }
}

serialization.registerClass(AdamW)
