// Written by scripts/generate.ts of @diffgrad/kernels.
export {
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
