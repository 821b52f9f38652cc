import { type AdaModOptions, adaMod, type OptimizerOptions } from '@diffgrad/core'
import { generatedAdaMod, generatedTransforms } from '@diffgrad/kernels'
import { serialization } from '@tensorflow/tfjs-core'
import { RuleOptimizer } from '../optimizer.ts'

/** Adam with steps bounded by their own running average. See `adaMod` in @diffgrad/core. */
export class AdaMod extends RuleOptimizer<AdaModOptions> {
  static override get className(): string {
    return 'DiffgradAdaMod'
  }

  constructor(options?: OptimizerOptions<AdaModOptions>) {
    super(adaMod, options, { ...generatedTransforms, ...generatedAdaMod })
  }
}

serialization.registerClass(AdaMod)
