import { diffGradLoops, surroundingsLoops } from '@diffgrad/arrays/kernels'
import { type DiffGradHyperparameters, diffGrad, type OptimizerOptions } from '@diffgrad/core'
import { serialization } from '@tensorflow/tfjs-core'
import { RuleOptimizer } from '../optimizer.ts'

/** diffGrad: Adam with friction where gradients stand still. See `diffGrad` in @diffgrad/core. */
export class DiffGrad extends RuleOptimizer<DiffGradHyperparameters> {
  static override get className(): string {
    return 'DiffGrad'
  }

  constructor(options?: OptimizerOptions<DiffGradHyperparameters>) {
    super(diffGrad, options, { ...surroundingsLoops, ...diffGradLoops })
  }
}

serialization.registerClass(DiffGrad)
