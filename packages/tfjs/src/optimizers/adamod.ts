import { adaModLoops, surroundingsLoops } from '@diffgrad/arrays/kernels'
import { type AdaModHyperparameters, adaMod, type OptimizerOptions } from '@diffgrad/core'
import { serialization } from '@tensorflow/tfjs-core'
import { RuleOptimizer } from '../optimizer.ts'

/** Adam with steps bounded by their own running average. See `adaMod` in @diffgrad/core. */
export class AdaMod extends RuleOptimizer<AdaModHyperparameters> {
  static override get className(): string {
    return 'DiffgradAdaMod'
  }

  constructor(options?: OptimizerOptions<AdaModHyperparameters>) {
    super(adaMod, options, { ...surroundingsLoops, ...adaModLoops })
  }
}

serialization.registerClass(AdaMod)
