import { type DiffModOptions, diffMod, type OptimizerOptions } from '@diffgrad/core'
import { generatedDiffMod, generatedTransforms } from '@diffgrad/kernels'
import { serialization } from '@tensorflow/tfjs-core'
import { RuleOptimizer } from '../optimizer.ts'

/** diffGrad with steps bounded by their own running average. See `diffMod` in @diffgrad/core. */
export class DiffMod extends RuleOptimizer<DiffModOptions> {
  static override get className(): string {
    return 'DiffMod'
  }

  constructor(options?: OptimizerOptions<DiffModOptions>) {
    super(diffMod, options, { ...generatedTransforms, ...generatedDiffMod })
  }
}

serialization.registerClass(DiffMod)
