import {
  type AdaModOptions,
  type AdamOptions,
  adaMod,
  adam,
  adamW,
  type DiffGradOptions,
  type DiffModOptions,
  type DiffRGradOptions,
  diffGrad,
  diffMod,
  diffRGrad,
  type RAdamOptions,
  radam,
  ranger,
  type SgdOptions,
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
export class SGD extends ArraysOptimizer<SgdOptions> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<SgdOptions>) {
    super(sgd, parameters, options, generatedSGD)
  }
}

/** Adam, with optional AMSGrad. See `adam` in @diffgrad/core. */
export class Adam extends ArraysOptimizer<AdamOptions> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<AdamOptions>) {
    super(adam, parameters, options, generatedAdam)
  }
}

/** Adam with decoupled weight decay, 0.01 by default. See `adamW` in @diffgrad/core. */
export class AdamW extends ArraysOptimizer<AdamOptions> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<AdamOptions>) {
    super(adamW, parameters, options, generatedAdam)
  }
}

/** Rectified Adam: no adaptive step until the variance of the second moment is finite. See `radam` in @diffgrad/core. */
export class RAdam extends ArraysOptimizer<RAdamOptions> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<RAdamOptions>) {
    super(radam, parameters, options, generatedRAdam)
  }
}

/** Adam whose step sizes are bounded by their running average. See `adaMod` in @diffgrad/core. */
export class AdaMod extends ArraysOptimizer<AdaModOptions> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<AdaModOptions>) {
    super(adaMod, parameters, options, generatedAdaMod)
  }
}

/** RAdam on centralized gradients, with Lookahead. See `ranger` in @diffgrad/core. */
export class Ranger extends ArraysOptimizer<RAdamOptions> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<RAdamOptions>) {
    super(ranger, parameters, options, generatedRAdam)
  }
}

/** diffGrad: Adam whose steps shrink where the gradient changes little. See `diffGrad` in @diffgrad/core. */
export class DiffGrad extends ArraysOptimizer<DiffGradOptions> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<DiffGradOptions>) {
    super(diffGrad, parameters, options, generatedDiffGrad)
  }
}

/** diffGrad with the rectification of RAdam. See `diffRGrad` in @diffgrad/core. */
export class DiffRGrad extends ArraysOptimizer<DiffRGradOptions> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<DiffRGradOptions>) {
    super(diffRGrad, parameters, options, generatedDiffRGrad)
  }
}

/** diffGrad with the bounded step sizes of AdaMod. See `diffMod` in @diffgrad/core. */
export class DiffMod extends ArraysOptimizer<DiffModOptions> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<DiffModOptions>) {
    super(diffMod, parameters, options, generatedDiffMod)
  }
}
