import { diffModLoops, surroundingsLoops } from '@diffgrad/arrays/kernels'
import { type DiffModHyperparameters, diffMod, type OptimizerOptions } from '@diffgrad/core'
import { serialization } from '@tensorflow/tfjs-core'
import { RuleOptimizer } from '../optimizer.ts'

/** diffGrad with steps bounded by their own running average. See `diffMod` in @diffgrad/core. */
export class DiffMod extends RuleOptimizer<DiffModHyperparameters> {
  static override get className(): string {
    return 'DiffMod'
  }

  constructor(options?: OptimizerOptions<DiffModHyperparameters>) {
    super(diffMod, options, { ...surroundingsLoops, ...diffModLoops })
  }
}

serialization.registerClass(DiffMod)
