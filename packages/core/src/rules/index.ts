import type { UpdateRule } from '../rule.ts'
import { type AdamHyperparameters, adam, adamW } from './adam.ts'
import { type AdaModHyperparameters, adaMod } from './adamod.ts'
import { type DiffGradHyperparameters, diffGrad, type FrictionHyperparameters } from './diffgrad.ts'
import { type DiffModHyperparameters, diffMod } from './diffmod.ts'
import { type DiffRGradHyperparameters, diffRGrad } from './diffrgrad.ts'
import type { MomentHyperparameters } from './moments.ts'
import { type RAdamHyperparameters, radam } from './radam.ts'
import { ranger } from './ranger.ts'
import { type SgdHyperparameters, sgd } from './sgd.ts'

export type {
  AdaModHyperparameters,
  AdamHyperparameters,
  DiffGradHyperparameters,
  DiffModHyperparameters,
  DiffRGradHyperparameters,
  FrictionHyperparameters,
  MomentHyperparameters,
  RAdamHyperparameters,
  SgdHyperparameters,
}
export { adaMod, adam, adamW, diffGrad, diffMod, diffRGrad, radam, ranger, sgd }

/** Every rule. Adapters, tests and applications derive their lists of optimizers from this one. */
export const allRules: readonly UpdateRule[] = [
  sgd,
  adam,
  adamW,
  radam,
  adaMod,
  ranger,
  diffGrad,
  diffRGrad,
  diffMod,
]

/** The name of the class that each adapter exports for a rule: `DiffGrad` for `diffGrad`. */
export const classNameOf = ({ name }: { readonly name: string }): string =>
  name.charAt(0).toUpperCase() + name.slice(1)
