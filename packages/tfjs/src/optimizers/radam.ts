import { radamLoops, surroundingsLoops } from '@diffgrad/arrays/kernels'
import { type OptimizerOptions, type RAdamHyperparameters, radam } from '@diffgrad/core'
import { serialization } from '@tensorflow/tfjs-core'
import { RuleOptimizer } from '../optimizer.ts'

/** Adam with a rectified variance. See `radam` in @diffgrad/core. */
export class RAdam extends RuleOptimizer<RAdamHyperparameters> {
  static override get className(): string {
    return 'DiffgradRAdam'
  }

  constructor(options?: OptimizerOptions<RAdamHyperparameters>) {
    super(radam, options, { ...surroundingsLoops, ...radamLoops })
  }
}

serialization.registerClass(RAdam)
