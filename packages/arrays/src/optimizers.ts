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
  type RAdamHyperparameters,
  radam,
  ranger,
  type SgdHyperparameters,
  sgd,
} from '@diffgrad/core'
import {
  generatedAdaMod,
  generatedAdam,
  generatedDiffGrad,
  generatedDiffMod,
  generatedDiffRGrad,
  generatedRAdam,
  generatedSGD,
} from '@diffgrad/kernels'
import { ArraysOptimizer, type ArraysOptions, type ParameterSet } from './optimizer.ts'

/** Stochastic gradient descent, with optional momentum and Nesterov momentum. See `sgd` in @diffgrad/core. */
export class SGD<Name extends string = string> extends ArraysOptimizer<
  SgdHyperparameters,
  Name,
  never
> {
  constructor(parameters: ParameterSet<Name>, options?: ArraysOptions<SgdHyperparameters, Name>) {
    super(sgd, parameters, options, generatedSGD)
  }
}

/** Adam, with optional AMSGrad. See `adam` in @diffgrad/core. */
export class Adam<Name extends string = string> extends ArraysOptimizer<
  AdamHyperparameters,
  Name,
  never
> {
  constructor(parameters: ParameterSet<Name>, options?: ArraysOptions<AdamHyperparameters, Name>) {
    super(adam, parameters, options, generatedAdam)
  }
}

/** Adam with decoupled weight decay, 0.01 by default. See `adamW` in @diffgrad/core. */
export class AdamW<Name extends string = string> extends ArraysOptimizer<
  AdamHyperparameters,
  Name,
  never
> {
  constructor(parameters: ParameterSet<Name>, options?: ArraysOptions<AdamHyperparameters, Name>) {
    super(adamW, parameters, options, generatedAdam)
  }
}

/** Rectified Adam: no adaptive step until the variance of the second moment is finite. See `radam` in @diffgrad/core. */
export class RAdam<Name extends string = string> extends ArraysOptimizer<
  RAdamHyperparameters,
  Name,
  never
> {
  constructor(parameters: ParameterSet<Name>, options?: ArraysOptions<RAdamHyperparameters, Name>) {
    super(radam, parameters, options, generatedRAdam)
  }
}

/** Adam whose step sizes are bounded by their running average. See `adaMod` in @diffgrad/core. */
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

/** RAdam on centralized gradients, with Lookahead. See `ranger` in @diffgrad/core. */
export class Ranger<Name extends string = string> extends ArraysOptimizer<
  RAdamHyperparameters,
  Name,
  never
> {
  constructor(parameters: ParameterSet<Name>, options?: ArraysOptions<RAdamHyperparameters, Name>) {
    super(ranger, parameters, options, generatedRAdam)
  }
}

/** diffGrad: Adam whose steps shrink where the gradient changes little. See `diffGrad` in @diffgrad/core. */
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

/** diffGrad with the rectification of RAdam. See `diffRGrad` in @diffgrad/core. */
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

/** diffGrad with the bounded step sizes of AdaMod. See `diffMod` in @diffgrad/core. */
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
