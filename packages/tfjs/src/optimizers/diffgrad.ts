import { type DiffGradOptions, diffGrad, type OptimizerOptions } from '@diffgrad/core'
import { generatedDiffGrad, generatedTransforms } from '@diffgrad/kernels'
import { serialization } from '@tensorflow/tfjs-core'
import { RuleOptimizer } from '../optimizer.ts'

/** diffGrad: Adam with friction where gradients stand still. See `diffGrad` in @diffgrad/core. */
export class DiffGrad extends RuleOptimizer<DiffGradOptions> {
  static override get className(): string {
    return 'DiffGrad'
  }

  constructor(options?: OptimizerOptions<DiffGradOptions>) {
    super(diffGrad, options, { ...generatedTransforms, ...generatedDiffGrad })
  }
}

serialization.registerClass(DiffGrad)
