import {
  adaMod,
  adam,
  adamW,
  diffGrad,
  diffMod,
  diffRGrad,
  radam,
  ranger,
  sgd,
} from '@diffgrad/core'

/** Update rules by the names that the command line has for them. */
export const rules = {
  diffgrad: diffGrad,
  diffrgrad: diffRGrad,
  diffmod: diffMod,
  sgd,
  adam,
  adamw: adamW,
  radam,
  adamod: adaMod,
  ranger,
} as const
