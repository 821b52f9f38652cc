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
export class SGD extends ArraysOptimizer<SgdHyperparameters> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<SgdHyperparameters>) {
    super(sgd, parameters, options, generatedSGD)
  }
}

/** Adam, with optional AMSGrad. See `adam` in @diffgrad/core. */
export class Adam extends ArraysOptimizer<AdamHyperparameters> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<AdamHyperparameters>) {
    super(adam, parameters, options, generatedAdam)
  }
}

/** Adam with decoupled weight decay, 0.01 by default. See `adamW` in @diffgrad/core. */
export class AdamW extends ArraysOptimizer<AdamHyperparameters> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<AdamHyperparameters>) {
    super(adamW, parameters, options, generatedAdam)
  }
}

/** Rectified Adam: no adaptive step until the variance of the second moment is finite. See `radam` in @diffgrad/core. */
export class RAdam extends ArraysOptimizer<RAdamHyperparameters> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<RAdamHyperparameters>) {
    super(radam, parameters, options, generatedRAdam)
  }
}

/** Adam whose step sizes are bounded by their running average. See `adaMod` in @diffgrad/core. */
export class AdaMod extends ArraysOptimizer<AdaModHyperparameters> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<AdaModHyperparameters>) {
    super(adaMod, parameters, options, generatedAdaMod)
  }
}

/** RAdam on centralized gradients, with Lookahead. See `ranger` in @diffgrad/core. */
export class Ranger extends ArraysOptimizer<RAdamHyperparameters> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<RAdamHyperparameters>) {
    super(ranger, parameters, options, generatedRAdam)
  }
}

/** diffGrad: Adam whose steps shrink where the gradient changes little. See `diffGrad` in @diffgrad/core. */
export class DiffGrad extends ArraysOptimizer<DiffGradHyperparameters> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<DiffGradHyperparameters>) {
    super(diffGrad, parameters, options, generatedDiffGrad)
  }
}

/** diffGrad with the rectification of RAdam. See `diffRGrad` in @diffgrad/core. */
export class DiffRGrad extends ArraysOptimizer<DiffRGradHyperparameters> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<DiffRGradHyperparameters>) {
    super(diffRGrad, parameters, options, generatedDiffRGrad)
  }
}

/** diffGrad with the bounded step sizes of AdaMod. See `diffMod` in @diffgrad/core. */
export class DiffMod extends ArraysOptimizer<DiffModHyperparameters> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<DiffModHyperparameters>) {
    super(diffMod, parameters, options, generatedDiffMod)
  }
}
