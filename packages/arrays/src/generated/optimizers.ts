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
import { ArraysOptimizer, type ArraysOptions, type ParameterSet } from '../optimizer.ts'

/** Stochastic gradient descent, with momentum. See `sgd` in @diffgrad/core. */
export class SGD<Name extends string = string> extends ArraysOptimizer<
  SgdHyperparameters,
  Name,
  never
> {
  constructor(parameters: ParameterSet<Name>, options?: ArraysOptions<SgdHyperparameters, Name>) {
    super(sgd, parameters, options, generatedSGD)
  }
}

/** Adam. See `adam` in @diffgrad/core. */
export class Adam<Name extends string = string> extends ArraysOptimizer<
  AdamHyperparameters,
  Name,
  never
> {
  constructor(parameters: ParameterSet<Name>, options?: ArraysOptions<AdamHyperparameters, Name>) {
    super(adam, parameters, options, generatedAdam)
  }
}

/** AdamW: Adam with decoupled weight decay, 0.01 by default. See `adamW` in @diffgrad/core. */
export class AdamW<Name extends string = string> extends ArraysOptimizer<
  AdamHyperparameters,
  Name,
  never
> {
  constructor(parameters: ParameterSet<Name>, options?: ArraysOptions<AdamHyperparameters, Name>) {
    super(adamW, parameters, options, generatedAdam)
  }
}

/** NAdam: Adam with Nesterov momentum, which applies the momentum of the next step at once. See `nadam` in @diffgrad/core. */
export class NAdam<Name extends string = string> extends ArraysOptimizer<
  NAdamHyperparameters,
  Name,
  never
> {
  constructor(parameters: ParameterSet<Name>, options?: ArraysOptions<NAdamHyperparameters, Name>) {
    super(nadam, parameters, options, generatedNAdam)
  }
}

/** NAdamW: NAdam with decoupled weight decay, 0.01 by default. See `nadamW` in @diffgrad/core. */
export class NAdamW<Name extends string = string> extends ArraysOptimizer<
  NAdamHyperparameters,
  Name,
  never
> {
  constructor(parameters: ParameterSet<Name>, options?: ArraysOptions<NAdamHyperparameters, Name>) {
    super(nadamW, parameters, options, generatedNAdam)
  }
}

/** RAdam: Adam with a rectified variance. See `radam` in @diffgrad/core. */
export class RAdam<Name extends string = string> extends ArraysOptimizer<
  RAdamHyperparameters,
  Name,
  never
> {
  constructor(parameters: ParameterSet<Name>, options?: ArraysOptions<RAdamHyperparameters, Name>) {
    super(radam, parameters, options, generatedRAdam)
  }
}

/** AdaBelief: Adam whose steps are large where a gradient is close to m, the gradient that was expected. See `adaBelief` in @diffgrad/core. */
export class AdaBelief<Name extends string = string> extends ArraysOptimizer<
  AdaBeliefHyperparameters,
  Name,
  never
> {
  constructor(
    parameters: ParameterSet<Name>,
    options?: ArraysOptions<AdaBeliefHyperparameters, Name>,
  ) {
    super(adaBelief, parameters, options, generatedAdaBelief)
  }
}

/** AdaMod: Adam with step sizes bounded by their own moving average s. See `adaMod` in @diffgrad/core. */
export class AdaMod<Name extends string = string> extends ArraysOptimizer<
  AdaModHyperparameters,
  Name,
  never
> {
  constructor(
    parameters: ParameterSet<Name>,
    options?: ArraysOptions<AdaModHyperparameters, Name>,
  ) {
    super(adaMod, parameters, options, generatedAdaMod)
  }
}

/** Adan: Adam with Nesterov momentum that needs the gradient at θ alone, because the change of the gradient predicts the next one. See `adan` in @diffgrad/core. */
export class Adan<Name extends string = string> extends ArraysOptimizer<
  AdanHyperparameters,
  Name,
  never
> {
  constructor(parameters: ParameterSet<Name>, options?: ArraysOptions<AdanHyperparameters, Name>) {
    super(adan, parameters, options, generatedAdan)
  }
}

/** AdEMAMix: Adam with a second, slow average m₂ of gradients, whose half-life is thousands of steps. See `adEMAMix` in @diffgrad/core. */
export class AdEMAMix<Name extends string = string> extends ArraysOptimizer<
  AdEMAMixHyperparameters,
  Name,
  never
> {
  constructor(
    parameters: ParameterSet<Name>,
    options?: ArraysOptions<AdEMAMixHyperparameters, Name>,
  ) {
    super(adEMAMix, parameters, options, generatedAdEMAMix)
  }
}

/** ADOPT: Adam that converges for every β₂, because a gradient is divided by the v of the steps before it. See `adopt` in @diffgrad/core. */
export class ADOPT<Name extends string = string> extends ArraysOptimizer<
  AdoptHyperparameters,
  Name,
  never
> {
  constructor(parameters: ParameterSet<Name>, options?: ArraysOptions<AdoptHyperparameters, Name>) {
    super(adopt, parameters, options, generatedADOPT)
  }
}

/** Ranger: RAdam with centralized gradients and Lookahead. See `ranger` in @diffgrad/core. */
export class Ranger<Name extends string = string> extends ArraysOptimizer<
  RAdamHyperparameters,
  Name,
  never
> {
  constructor(parameters: ParameterSet<Name>, options?: ArraysOptions<RAdamHyperparameters, Name>) {
    super(ranger, parameters, options, generatedRAdam)
  }
}

/** Lion: every element steps by α, against the sign of an average of gradients. See `lion` in @diffgrad/core. */
export class Lion<Name extends string = string> extends ArraysOptimizer<
  LionHyperparameters,
  Name,
  never
> {
  constructor(parameters: ParameterSet<Name>, options?: ArraysOptions<LionHyperparameters, Name>) {
    super(lion, parameters, options, generatedLion)
  }
}

/** LAMB: Adam whose step of a parameter has the norm of the parameter, times α, for large batches. See `lamb` in @diffgrad/core. */
export class LAMB<Name extends string = string> extends ArraysOptimizer<
  LambHyperparameters,
  Name,
  never
> {
  constructor(parameters: ParameterSet<Name>, options?: ArraysOptions<LambHyperparameters, Name>) {
    super(lamb, parameters, options, generatedLAMB)
  }
}

/** Schedule-Free SGD: z takes the steps of SGD, x is the average of all z, and the parameters are y between both, where gradients are computed. See `scheduleFreeSgd` in @diffgrad/core. */
export class ScheduleFreeSGD<Name extends string = string> extends ArraysOptimizer<
  ScheduleFreeSgdHyperparameters,
  Name,
  never
> {
  constructor(
    parameters: ParameterSet<Name>,
    options?: ArraysOptions<ScheduleFreeSgdHyperparameters, Name>,
  ) {
    super(scheduleFreeSgd, parameters, options, generatedScheduleFreeSGD)
  }
}

/** Schedule-Free AdamW: as Schedule-Free SGD, with the steps of Adam without momentum, which the average replaces. See `scheduleFreeAdamW` in @diffgrad/core. */
export class ScheduleFreeAdamW<Name extends string = string> extends ArraysOptimizer<
  ScheduleFreeAdamWHyperparameters,
  Name,
  never
> {
  constructor(
    parameters: ParameterSet<Name>,
    options?: ArraysOptions<ScheduleFreeAdamWHyperparameters, Name>,
  ) {
    super(scheduleFreeAdamW, parameters, options, generatedScheduleFreeAdamW)
  }
}

/** diffGrad: Adam with a friction coefficient ξ, which is ½ for an element whose gradient does not change and grows with the change. See `diffGrad` in @diffgrad/core. */
export class DiffGrad<Name extends string = string> extends ArraysOptimizer<
  DiffGradHyperparameters,
  Name,
  'xi'
> {
  constructor(
    parameters: ParameterSet<Name>,
    options?: ArraysOptions<DiffGradHyperparameters, Name>,
  ) {
    super(diffGrad, parameters, options, generatedDiffGrad)
  }
}

/** diffGradNorm: diffGrad with AdaNorm, which scales a gradient that is smaller than its predecessors up to their average norm e. See `diffGradNorm` in @diffgrad/core. */
export class DiffGradNorm<Name extends string = string> extends ArraysOptimizer<
  DiffGradNormHyperparameters,
  Name,
  'xi'
> {
  constructor(
    parameters: ParameterSet<Name>,
    options?: ArraysOptions<DiffGradNormHyperparameters, Name>,
  ) {
    super(diffGradNorm, parameters, options, generatedDiffGradNorm)
  }
}

/** AngularGrad, by the authors of diffGrad: the friction is a function of the angle A between the lines of slope g and p, the previous gradient, or of the previous angle A′ if that is smaller. See `angularGrad` in @diffgrad/core. */
export class AngularGrad<Name extends string = string> extends ArraysOptimizer<
  AngularGradHyperparameters,
  Name,
  'phi'
> {
  constructor(
    parameters: ParameterSet<Name>,
    options?: ArraysOptions<AngularGradHyperparameters, Name>,
  ) {
    super(angularGrad, parameters, options, generatedAngularGrad)
  }
}

/** DiffRGrad: RAdam with the friction coefficient ξ of diffGrad in the rectified phase. See `diffRGrad` in @diffgrad/core. */
export class DiffRGrad<Name extends string = string> extends ArraysOptimizer<
  DiffRGradHyperparameters,
  Name,
  'xi'
> {
  constructor(
    parameters: ParameterSet<Name>,
    options?: ArraysOptions<DiffRGradHyperparameters, Name>,
  ) {
    super(diffRGrad, parameters, options, generatedDiffRGrad)
  }
}

/** DiffMod: diffGrad with step sizes bounded by their own moving average s, which excludes ξ. See `diffMod` in @diffgrad/core. */
export class DiffMod<Name extends string = string> extends ArraysOptimizer<
  DiffModHyperparameters,
  Name,
  'xi'
> {
  constructor(
    parameters: ParameterSet<Name>,
    options?: ArraysOptions<DiffModHyperparameters, Name>,
  ) {
    super(diffMod, parameters, options, generatedDiffMod)
  }
}
