import { type DiffRGradOptions, diffRGrad, type OptimizerOptions } from '@diffgrad/core'
import { generatedDiffRGrad, generatedTransforms } from '@diffgrad/kernels'
import { serialization } from '@tensorflow/tfjs-core'
import { RuleOptimizer } from '../optimizer.ts'

/** diffGrad with a rectified variance. See `diffRGrad` in @diffgrad/core. */
export class DiffRGrad extends RuleOptimizer<DiffRGradOptions> {
  static override get className(): string {
    return 'DiffRGrad'
  }

  constructor(options?: OptimizerOptions<DiffRGradOptions>) {
    super(diffRGrad, options, { ...generatedTransforms, ...generatedDiffRGrad })
  }
}

serialization.registerClass(DiffRGrad)
