import { radamLoops, surroundingsLoops } from '@diffgrad/arrays/kernels'
import { type OptimizerOptions, type RAdamHyperparameters, ranger } from '@diffgrad/core'
import { serialization } from '@tensorflow/tfjs-core'
import { RuleOptimizer } from '../optimizer.ts'

/** RAdam on centralized gradients, followed by Lookahead. See `ranger` in @diffgrad/core. */
export class Ranger extends RuleOptimizer<RAdamHyperparameters> {
  static override get className(): string {
    return 'DiffgradRanger'
  }

  constructor(options?: OptimizerOptions<RAdamHyperparameters>) {
    super(ranger, options, { ...surroundingsLoops, ...radamLoops })
  }
}

serialization.registerClass(Ranger)
