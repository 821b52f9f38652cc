import { type OptimizerOptions, type RAdamOptions, radam } from '@diffgrad/core'
import { generatedRAdam, generatedTransforms } from '@diffgrad/kernels'
import { serialization } from '@tensorflow/tfjs-core'
import { RuleOptimizer } from '../optimizer.ts'

/** Adam with a rectified variance. See `radam` in @diffgrad/core. */
export class RAdam extends RuleOptimizer<RAdamOptions> {
  static override get className(): string {
    return 'DiffgradRAdam'
  }

  constructor(options?: OptimizerOptions<RAdamOptions>) {
    super(radam, options, { ...generatedTransforms, ...generatedRAdam })
  }
}

serialization.registerClass(RAdam)
