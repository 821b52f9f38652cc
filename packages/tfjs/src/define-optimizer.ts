import type { Hyperparameters, OptimizerOptions, UpdateRule } from '@diffgrad/core'
import { type GeneratedKernels, generatedTransforms } from '@diffgrad/kernels'
import { serialization } from '@tensorflow/tfjs-core'
import { RuleOptimizer } from './optimizer.ts'
import { optionsOf, type PositionalSetting, type Settings } from './settings.ts'

/** The class of the optimizer of one rule. */
export interface OptimizerClass<H extends Hyperparameters> {
  /** The name of the class in saved models. */
  readonly className: string
  /** Creates an optimizer with the options of `getConfig`. See `RuleOptimizer`. */
  readonly fromConfig: (typeof RuleOptimizer)['fromConfig']
  /**
   * @param options - or the learning rate, followed by settings in the order of `tf.train`: `beta1, beta2,
   * epsilon`, or those of SGD, `momentum, nesterov`.
   * @throws RangeError naming an option that is unknown or out of range.
   */
  new (
    options?: OptimizerOptions<H> | number | undefined,
    ...settings: readonly PositionalSetting[]
  ): RuleOptimizer<H> & Settings<H>
}

/**
 * Defines the optimizer class of a rule and registers it with TensorFlow.js, which loads saved models by
 * class name. Calls are annotated as pure, so that bundlers drop the classes that are not used, with
 * their rules and kernels.
 *
 * @param className - differs from the names of TensorFlow.js's own optimizers, which it would replace.
 */
export function defineOptimizer<H extends Hyperparameters>(
  className: string,
  rule: UpdateRule<H>,
  generated: GeneratedKernels,
): OptimizerClass<H> {
  const Named = class extends RuleOptimizer<H> {
    static override get className(): string {
      return className
    }

    constructor(...settings: readonly unknown[]) {
      super(rule, optionsOf(rule, settings), { ...generatedTransforms, ...generated })
    }
  }
  serialization.registerClass(Named)
  return Named as unknown as OptimizerClass<H> // The constructor of RuleOptimizer defines the settings.
}
