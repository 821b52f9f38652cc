import type { UpdateRule } from '../rule.ts'
import { adaBelief } from './adabelief.ts'
import { adam, adamW } from './adam.ts'
import { adaMod } from './adamod.ts'
import { adan } from './adan.ts'
import { adEMAMix } from './ademamix.ts'
import { adopt } from './adopt.ts'
import { angularGrad } from './angulargrad.ts'
import { diffGrad } from './diffgrad.ts'
import { diffGradNorm } from './diffgradnorm.ts'
import { diffMod } from './diffmod.ts'
import { diffRGrad } from './diffrgrad.ts'
import { lamb } from './lamb.ts'
import { lion } from './lion.ts'
import { nadam, nadamW } from './nadam.ts'
import { radam } from './radam.ts'
import { ranger } from './ranger.ts'
import { scheduleFreeAdamW, scheduleFreeSgd } from './schedulefree.ts'
import { sgd } from './sgd.ts'

export { type AdaBeliefHyperparameters, adaBelief } from './adabelief.ts'
export { type AdamHyperparameters, adam, adamW } from './adam.ts'
export { type AdaModHyperparameters, adaMod } from './adamod.ts'
export { type AdanHyperparameters, adan } from './adan.ts'
export { type AdEMAMixHyperparameters, adEMAMix } from './ademamix.ts'
export { type AdoptHyperparameters, adopt } from './adopt.ts'
export { type AngularGradHyperparameters, angularGrad } from './angulargrad.ts'
export {
  type DiffGradHyperparameters,
  diffGrad,
  type FrictionHyperparameters,
} from './diffgrad.ts'
export { type DiffGradNormHyperparameters, diffGradNorm } from './diffgradnorm.ts'
export { type DiffModHyperparameters, diffMod } from './diffmod.ts'
export { type DiffRGradHyperparameters, diffRGrad } from './diffrgrad.ts'
export { type LambHyperparameters, lamb } from './lamb.ts'
export { type LionHyperparameters, lion } from './lion.ts'
export type { MomentHyperparameters } from './moments.ts'
export { type NAdamHyperparameters, nadam, nadamW } from './nadam.ts'
export { type RAdamHyperparameters, radam } from './radam.ts'
export { ranger } from './ranger.ts'
export {
  type ScheduleFreeAdamWHyperparameters,
  type ScheduleFreeSgdHyperparameters,
  scheduleFreeAdamW,
  scheduleFreeSgd,
} from './schedulefree.ts'
export { type SgdHyperparameters, sgd } from './sgd.ts'

/**
 * Every rule. Adapters, tests and applications derive their lists of optimizers from this one: those of the
 * adapters are written by `pnpm generate`.
 */
export const allRules: readonly UpdateRule[] = [
  sgd,
  adam,
  adamW,
  nadam,
  nadamW,
  radam,
  adaBelief,
  adaMod,
  adan,
  adEMAMix,
  adopt,
  ranger,
  lion,
  lamb,
  scheduleFreeSgd,
  scheduleFreeAdamW,
  diffGrad,
  diffGradNorm,
  angularGrad,
  diffRGrad,
  diffMod,
]

/** The name of the class that each adapter exports for a rule: `DiffGrad` for `diffGrad`. */
export const classNameOf = ({ name }: { readonly name: string }): string =>
  name.charAt(0).toUpperCase() + name.slice(1)
