import { diffRGradLoops, surroundingsLoops } from '@diffgrad/arrays/kernels'
import { type DiffRGradHyperparameters, diffRGrad, type OptimizerOptions } from '@diffgrad/core'
import { serialization } from '@tensorflow/tfjs-core'
import { RuleOptimizer } from '../optimizer.ts'

/** diffGrad with a rectified variance. See `diffRGrad` in @diffgrad/core. */
export class DiffRGrad extends RuleOptimizer<DiffRGradHyperparameters> {
  static override get className(): string {
    return 'DiffRGrad'
  }

  constructor(options?: OptimizerOptions<DiffRGradHyperparameters>) {
    super(diffRGrad, options, { ...surroundingsLoops, ...diffRGradLoops })
  }
}

serialization.registerClass(DiffRGrad)
