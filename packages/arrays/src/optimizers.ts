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
import { adamLoops } from './generated/adam.ts'
import { adaModLoops } from './generated/adamod.ts'
import { diffGradLoops } from './generated/diffgrad.ts'
import { diffModLoops } from './generated/diffmod.ts'
import { diffRGradLoops } from './generated/diffrgrad.ts'
import { radamLoops } from './generated/radam.ts'
import { sgdLoops } from './generated/sgd.ts'
import { ArraysOptimizer, type ArraysOptions, type ParameterSet } from './optimizer.ts'

/** Stochastic gradient descent, with momentum and Nesterov's look ahead on request. See `sgd` in @diffgrad/core. */
export class SGD extends ArraysOptimizer<SgdHyperparameters> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<SgdHyperparameters>) {
    super(sgd, parameters, options, sgdLoops)
  }
}

/** Adam, with AMSGrad on request. See `adam` in @diffgrad/core. */
export class Adam extends ArraysOptimizer<AdamHyperparameters> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<AdamHyperparameters>) {
    super(adam, parameters, options, adamLoops)
  }
}

/** Adam with decoupled weight decay, 0.01 by default. See `adamW` in @diffgrad/core. */
export class AdamW extends ArraysOptimizer<AdamHyperparameters> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<AdamHyperparameters>) {
    super(adamW, parameters, options, adamLoops)
  }
}

/** Adam with a rectified variance. See `radam` in @diffgrad/core. */
export class RAdam extends ArraysOptimizer<RAdamHyperparameters> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<RAdamHyperparameters>) {
    super(radam, parameters, options, radamLoops)
  }
}

/** Adam with steps bounded by their own running average. See `adaMod` in @diffgrad/core. */
export class AdaMod extends ArraysOptimizer<AdaModHyperparameters> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<AdaModHyperparameters>) {
    super(adaMod, parameters, options, adaModLoops)
  }
}

/** RAdam on centralized gradients, followed by Lookahead. See `ranger` in @diffgrad/core. */
export class Ranger extends ArraysOptimizer<RAdamHyperparameters> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<RAdamHyperparameters>) {
    super(ranger, parameters, options, radamLoops)
  }
}

/** diffGrad: Adam with friction where gradients stand still. See `diffGrad` in @diffgrad/core. */
export class DiffGrad extends ArraysOptimizer<DiffGradHyperparameters> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<DiffGradHyperparameters>) {
    super(diffGrad, parameters, options, diffGradLoops)
  }
}

/** diffGrad with a rectified variance. See `diffRGrad` in @diffgrad/core. */
export class DiffRGrad extends ArraysOptimizer<DiffRGradHyperparameters> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<DiffRGradHyperparameters>) {
    super(diffRGrad, parameters, options, diffRGradLoops)
  }
}

/** diffGrad with steps bounded by their own running average. See `diffMod` in @diffgrad/core. */
export class DiffMod extends ArraysOptimizer<DiffModHyperparameters> {
  constructor(parameters: ParameterSet, options?: ArraysOptions<DiffModHyperparameters>) {
    super(diffMod, parameters, options, diffModLoops)
  }
}
