import {
  type AdaModHyperparameters,
  type AdamHyperparameters,
  adaMod,
  adam,
  adamW,
  type DiffGradHyperparameters,
  type DiffModHyperparameters,
  type DiffRGradHyperparameters,
  diffGrad,
  diffMod,
  diffRGrad,
  type Hyperparameters,
  type OptimizerOptions,
  type RAdamHyperparameters,
  radam,
  ranger,
  type SgdHyperparameters,
  sgd,
  type UpdateRule,
} from '@diffgrad/core'
import {
  type GeneratedKernels,
  generatedAdaMod,
  generatedAdam,
  generatedDiffGrad,
  generatedDiffMod,
  generatedDiffRGrad,
  generatedRAdam,
  generatedSGD,
  generatedTransforms,
} from '@diffgrad/kernels'
import { serialization } from '@tensorflow/tfjs-core'
import { registerWith, type TensorFlow } from './copies.ts'
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
function defineOptimizer<H extends Hyperparameters>(
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

/** Stochastic gradient descent, with optional momentum and Nesterov's look ahead. See `sgd` in @diffgrad/core. */
export const SGD: OptimizerClass<SgdHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffgradSGD',
  sgd,
  generatedSGD,
)
export type SGD = RuleOptimizer<SgdHyperparameters> & Settings<SgdHyperparameters>

/** Adam, with optional AMSGrad. See `adam` in @diffgrad/core. */
export const Adam: OptimizerClass<AdamHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffgradAdam',
  adam,
  generatedAdam,
)
export type Adam = RuleOptimizer<AdamHyperparameters> & Settings<AdamHyperparameters>

/** Adam with decoupled weight decay, 0.01 by default. See `adamW` in @diffgrad/core. */
export const AdamW: OptimizerClass<AdamHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffgradAdamW',
  adamW,
  generatedAdam,
)
export type AdamW = RuleOptimizer<AdamHyperparameters> & Settings<AdamHyperparameters>

/** Adam with a rectified variance. See `radam` in @diffgrad/core. */
export const RAdam: OptimizerClass<RAdamHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffgradRAdam',
  radam,
  generatedRAdam,
)
export type RAdam = RuleOptimizer<RAdamHyperparameters> & Settings<RAdamHyperparameters>

/** Adam with steps bounded by their own running average. See `adaMod` in @diffgrad/core. */
export const AdaMod: OptimizerClass<AdaModHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffgradAdaMod',
  adaMod,
  generatedAdaMod,
)
export type AdaMod = RuleOptimizer<AdaModHyperparameters> & Settings<AdaModHyperparameters>

/** RAdam on centralized gradients, followed by Lookahead. See `ranger` in @diffgrad/core. */
export const Ranger: OptimizerClass<RAdamHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffgradRanger',
  ranger,
  generatedRAdam,
)
export type Ranger = RuleOptimizer<RAdamHyperparameters> & Settings<RAdamHyperparameters>

/** diffGrad: Adam with friction where gradients stand still. See `diffGrad` in @diffgrad/core. */
export const DiffGrad: OptimizerClass<DiffGradHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffGrad',
  diffGrad,
  generatedDiffGrad,
)
export type DiffGrad = RuleOptimizer<DiffGradHyperparameters> & Settings<DiffGradHyperparameters>

/** diffGrad with a rectified variance. See `diffRGrad` in @diffgrad/core. */
export const DiffRGrad: OptimizerClass<DiffRGradHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffRGrad',
  diffRGrad,
  generatedDiffRGrad,
)
export type DiffRGrad = RuleOptimizer<DiffRGradHyperparameters> & Settings<DiffRGradHyperparameters>

/** diffGrad with steps bounded by their own running average. See `diffMod` in @diffgrad/core. */
export const DiffMod: OptimizerClass<DiffModHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffMod',
  diffMod,
  generatedDiffMod,
)
export type DiffMod = RuleOptimizer<DiffModHyperparameters> & Settings<DiffModHyperparameters>

/**
 * Registers all optimizers with a copy of TensorFlow.js, so that it can load models saved with them.
 *
 * A class that a script uses is registered already, with the copy of `@tensorflow/tfjs-core` that this
 * package imports. But compilers and bundlers drop a class that is imported and not used, and an
 * application may have another copy, from a script tag, for instance.
 *
 * @param tf - the copy of TensorFlow.js.
 */
export function register(tf: TensorFlow): void {
  registerWith(tf, [SGD, Adam, AdamW, RAdam, AdaMod, Ranger, DiffGrad, DiffRGrad, DiffMod])
}
