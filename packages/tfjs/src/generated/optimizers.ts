// Written by scripts/generate.ts of @diffgrad/kernels.
import {
  type AdaBeliefHyperparameters,
  type AdaModHyperparameters,
  type AdamHyperparameters,
  type AdanHyperparameters,
  type AdEMAMixHyperparameters,
  type AdoptHyperparameters,
  type AngularGradHyperparameters,
  adaBelief,
  adaMod,
  adam,
  adamW,
  adan,
  adEMAMix,
  adopt,
  angularGrad,
  type DiffGradHyperparameters,
  type DiffGradNormHyperparameters,
  type DiffModHyperparameters,
  type DiffRGradHyperparameters,
  diffGrad,
  diffGradNorm,
  diffMod,
  diffRGrad,
  type LambHyperparameters,
  type LionHyperparameters,
  lamb,
  lion,
  type NAdamHyperparameters,
  nadam,
  nadamW,
  type RAdamHyperparameters,
  radam,
  ranger,
  type ScheduleFreeAdamWHyperparameters,
  type ScheduleFreeSgdHyperparameters,
  type SgdHyperparameters,
  scheduleFreeAdamW,
  scheduleFreeSgd,
  sgd,
} from '@diffgrad/core'
import {
  generatedADOPT,
  generatedAdaBelief,
  generatedAdaMod,
  generatedAdam,
  generatedAdan,
  generatedAdEMAMix,
  generatedAngularGrad,
  generatedDiffGrad,
  generatedDiffGradNorm,
  generatedDiffMod,
  generatedDiffRGrad,
  generatedLAMB,
  generatedLion,
  generatedNAdam,
  generatedRAdam,
  generatedScheduleFreeAdamW,
  generatedScheduleFreeSGD,
  generatedSGD,
} from '@diffgrad/kernels'
import { defineOptimizer, type OptimizerClass } from '../define-optimizer.ts'
import type { RuleOptimizer } from '../optimizer.ts'
import type { Settings } from '../settings.ts'

/** Stochastic gradient descent, with momentum. See `sgd` in @diffgrad/core. */
export const SGD: OptimizerClass<SgdHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffgradSGD',
  sgd,
  generatedSGD,
)
export type SGD = RuleOptimizer<SgdHyperparameters> & Settings<SgdHyperparameters>

/** Adam. See `adam` in @diffgrad/core. */
export const Adam: OptimizerClass<AdamHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffgradAdam',
  adam,
  generatedAdam,
)
export type Adam = RuleOptimizer<AdamHyperparameters> & Settings<AdamHyperparameters>

/** AdamW: Adam with decoupled weight decay, 0.01 by default. See `adamW` in @diffgrad/core. */
export const AdamW: OptimizerClass<AdamHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffgradAdamW',
  adamW,
  generatedAdam,
)
export type AdamW = RuleOptimizer<AdamHyperparameters> & Settings<AdamHyperparameters>

/** NAdam: Adam with Nesterov momentum, which applies the momentum of the next step at once. See `nadam` in @diffgrad/core. */
export const NAdam: OptimizerClass<NAdamHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffgradNAdam',
  nadam,
  generatedNAdam,
)
export type NAdam = RuleOptimizer<NAdamHyperparameters> & Settings<NAdamHyperparameters>

/** NAdamW: NAdam with decoupled weight decay, 0.01 by default. See `nadamW` in @diffgrad/core. */
export const NAdamW: OptimizerClass<NAdamHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffgradNAdamW',
  nadamW,
  generatedNAdam,
)
export type NAdamW = RuleOptimizer<NAdamHyperparameters> & Settings<NAdamHyperparameters>

/** RAdam: Adam with a rectified variance. See `radam` in @diffgrad/core. */
export const RAdam: OptimizerClass<RAdamHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffgradRAdam',
  radam,
  generatedRAdam,
)
export type RAdam = RuleOptimizer<RAdamHyperparameters> & Settings<RAdamHyperparameters>

/** AdaBelief: Adam whose steps are large where a gradient is close to m, the gradient that was expected. See `adaBelief` in @diffgrad/core. */
export const AdaBelief: OptimizerClass<AdaBeliefHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffgradAdaBelief',
  adaBelief,
  generatedAdaBelief,
)
export type AdaBelief = RuleOptimizer<AdaBeliefHyperparameters> & Settings<AdaBeliefHyperparameters>

/** AdaMod: Adam with step sizes bounded by their own moving average s. See `adaMod` in @diffgrad/core. */
export const AdaMod: OptimizerClass<AdaModHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffgradAdaMod',
  adaMod,
  generatedAdaMod,
)
export type AdaMod = RuleOptimizer<AdaModHyperparameters> & Settings<AdaModHyperparameters>

/** Adan: Adam with Nesterov momentum that needs the gradient at θ alone, because the change of the gradient predicts the next one. See `adan` in @diffgrad/core. */
export const Adan: OptimizerClass<AdanHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffgradAdan',
  adan,
  generatedAdan,
)
export type Adan = RuleOptimizer<AdanHyperparameters> & Settings<AdanHyperparameters>

/** AdEMAMix: Adam with a second, slow average m₂ of gradients, whose half-life is thousands of steps. See `adEMAMix` in @diffgrad/core. */
export const AdEMAMix: OptimizerClass<AdEMAMixHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffgradAdEMAMix',
  adEMAMix,
  generatedAdEMAMix,
)
export type AdEMAMix = RuleOptimizer<AdEMAMixHyperparameters> & Settings<AdEMAMixHyperparameters>

/** ADOPT: Adam that converges for every β₂, because a gradient is divided by the v of the steps before it. See `adopt` in @diffgrad/core. */
export const ADOPT: OptimizerClass<AdoptHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffgradADOPT',
  adopt,
  generatedADOPT,
)
export type ADOPT = RuleOptimizer<AdoptHyperparameters> & Settings<AdoptHyperparameters>

/** Ranger: RAdam with centralized gradients and Lookahead. See `ranger` in @diffgrad/core. */
export const Ranger: OptimizerClass<RAdamHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffgradRanger',
  ranger,
  generatedRAdam,
)
export type Ranger = RuleOptimizer<RAdamHyperparameters> & Settings<RAdamHyperparameters>

/** Lion: every element steps by α, against the sign of an average of gradients. See `lion` in @diffgrad/core. */
export const Lion: OptimizerClass<LionHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffgradLion',
  lion,
  generatedLion,
)
export type Lion = RuleOptimizer<LionHyperparameters> & Settings<LionHyperparameters>

/** LAMB: Adam whose step of a parameter has the norm of the parameter, times α, for large batches. See `lamb` in @diffgrad/core. */
export const LAMB: OptimizerClass<LambHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffgradLAMB',
  lamb,
  generatedLAMB,
)
export type LAMB = RuleOptimizer<LambHyperparameters> & Settings<LambHyperparameters>

/** Schedule-Free SGD: z takes the steps of SGD, x is the average of all z, and the parameters are y between both, where gradients are computed. See `scheduleFreeSgd` in @diffgrad/core. */
export const ScheduleFreeSGD: OptimizerClass<ScheduleFreeSgdHyperparameters> =
  /* @__PURE__ */ defineOptimizer(
    'DiffgradScheduleFreeSGD',
    scheduleFreeSgd,
    generatedScheduleFreeSGD,
  )
export type ScheduleFreeSGD = RuleOptimizer<ScheduleFreeSgdHyperparameters> &
  Settings<ScheduleFreeSgdHyperparameters>

/** Schedule-Free AdamW: as Schedule-Free SGD, with the steps of Adam without momentum, which the average replaces. See `scheduleFreeAdamW` in @diffgrad/core. */
export const ScheduleFreeAdamW: OptimizerClass<ScheduleFreeAdamWHyperparameters> =
  /* @__PURE__ */ defineOptimizer(
    'DiffgradScheduleFreeAdamW',
    scheduleFreeAdamW,
    generatedScheduleFreeAdamW,
  )
export type ScheduleFreeAdamW = RuleOptimizer<ScheduleFreeAdamWHyperparameters> &
  Settings<ScheduleFreeAdamWHyperparameters>

/** diffGrad: Adam with a friction coefficient ξ, which is ½ for an element whose gradient does not change and grows with the change. See `diffGrad` in @diffgrad/core. */
export const DiffGrad: OptimizerClass<DiffGradHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffGrad',
  diffGrad,
  generatedDiffGrad,
)
export type DiffGrad = RuleOptimizer<DiffGradHyperparameters> & Settings<DiffGradHyperparameters>

/** diffGradNorm: diffGrad with AdaNorm, which scales a gradient that is smaller than its predecessors up to their average norm e. See `diffGradNorm` in @diffgrad/core. */
export const DiffGradNorm: OptimizerClass<DiffGradNormHyperparameters> =
  /* @__PURE__ */ defineOptimizer('DiffGradNorm', diffGradNorm, generatedDiffGradNorm)
export type DiffGradNorm = RuleOptimizer<DiffGradNormHyperparameters> &
  Settings<DiffGradNormHyperparameters>

/** AngularGrad, by the authors of diffGrad: the friction is a function of the angle A between the lines of slope g and p, the previous gradient, or of the previous angle A′ if that is smaller. See `angularGrad` in @diffgrad/core. */
export const AngularGrad: OptimizerClass<AngularGradHyperparameters> =
  /* @__PURE__ */ defineOptimizer('DiffgradAngularGrad', angularGrad, generatedAngularGrad)
export type AngularGrad = RuleOptimizer<AngularGradHyperparameters> &
  Settings<AngularGradHyperparameters>

/** DiffRGrad: RAdam with the friction coefficient ξ of diffGrad in the rectified phase. See `diffRGrad` in @diffgrad/core. */
export const DiffRGrad: OptimizerClass<DiffRGradHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffRGrad',
  diffRGrad,
  generatedDiffRGrad,
)
export type DiffRGrad = RuleOptimizer<DiffRGradHyperparameters> & Settings<DiffRGradHyperparameters>

/** DiffMod: diffGrad with step sizes bounded by their own moving average s, which excludes ξ. See `diffMod` in @diffgrad/core. */
export const DiffMod: OptimizerClass<DiffModHyperparameters> = /* @__PURE__ */ defineOptimizer(
  'DiffMod',
  diffMod,
  generatedDiffMod,
)
export type DiffMod = RuleOptimizer<DiffModHyperparameters> & Settings<DiffModHyperparameters>
