import type { Arithmetic } from '../arithmetic.ts'
import { type OptionRange, type OptionText, oneOf } from '../ranges.ts'
import {
  defineRule,
  type EvaluationPoint,
  type Hyperparameters,
  type ScalarState,
  type UpdateRule,
} from '../rule.ts'
import { movingAverage } from './moments.ts'

/** The hyperparameters of Schedule-Free SGD. */
export interface ScheduleFreeSgdHyperparameters extends Hyperparameters {
  /** β, the weight of the average x in the point y where gradients are computed: in (0, 1]. */
  readonly beta1: number
}

/** The hyperparameters of Schedule-Free AdamW. */
export interface ScheduleFreeAdamWHyperparameters extends ScheduleFreeSgdHyperparameters {
  /** β₂, the decay rate of the moving average of squared gradients: in [0, 1). */
  readonly beta2: number
  /** ε, added to √v before any bias correction: at least 1e-36. */
  readonly epsilon: number
}

const ranges: Readonly<Record<string, OptionRange & OptionText>> = {
  beta1: {
    text: 'above 0, at most 1',
    includes: (value) => typeof value === 'number' && value > 0 && value <= 1,
    symbol: 'β',
    description: 'weight of the average in the point of the gradients',
  },
}

/** The average of all z so far, as scalar state. */
type AverageScalar = 'largestRate' | 'weightSum' | 'weight' | 'beta' | 'kept'

/**
 * Weights each z by the square of the largest γ so far.
 *
 * @param rateAt - γ of a step.
 */
const averageOf = <H extends ScheduleFreeSgdHyperparameters>(
  rateAt: (hyperparameters: H, t: number) => number,
): ScalarState<H, AverageScalar> => ({
  initial: { largestRate: 0, weightSum: 0, weight: 0, beta: 1, kept: 0 },
  next(previous, hyperparameters, t) {
    const largestRate = Math.max(previous.largestRate, rateAt(hyperparameters, t))
    const square = largestRate ** 2
    const weightSum = previous.weightSum + square
    const weight = weightSum === 0 ? 0 : square / weightSum // No weight while γ is 0.
    const { beta1: beta } = hyperparameters
    // y was made with the β of the step before.
    return { largestRate, weightSum, weight, beta, kept: ((1 - weight) * beta) / previous.beta }
  },
})

/** x = y + (1/β − 1)(y − z), from y = (1 − β)z + βx. */
const evaluationPoint: EvaluationPoint<'z', AverageScalar> = {
  reads: ['z'],
  coefficients: ({ beta }) => ({ beyond: (1 - beta) / beta }),
  evaluate: ({ add, sub, mul }, { theta: y, z }, { beyond }) => add(y, mul(beyond, sub(y, z))),
}

/** The steps of y and z in the direction that the optimizer inside takes. */
const scheduleFreeStep = <T>(
  { add, sub, mul }: Arithmetic<T>,
  { theta: y, z, decay }: { readonly theta: T; readonly z: T; readonly decay?: T | undefined },
  direction: T,
  c: { readonly [K in 'toZ' | 'stepY' | 'stepZ']: T },
): { readonly step: T; readonly z: T } => {
  const d = decay === undefined ? direction : add(direction, decay)
  return {
    step: add(mul(c.toZ, sub(y, z)), mul(c.stepY, d)),
    z: sub(z, mul(c.stepZ, d)),
  }
}

/** Substituting x in y ← (1 − β)z + βx leaves y, z and the direction. */
const scheduleFreeCoefficients = (
  rate: number,
  { weight, beta, kept }: Readonly<Record<AverageScalar, number>>,
): Readonly<Record<'toZ' | 'stepY' | 'stepZ', number>> => ({
  toZ: 1 - kept,
  stepY: rate * (1 - beta * (1 - weight)),
  stepZ: rate,
})

const rateOfSgd = ({ learningRate }: ScheduleFreeSgdHyperparameters): number => learningRate

/**
 * Schedule-Free SGD: z takes the steps of SGD, x is the average of all z, and the parameters are y between
 * both, where gradients are computed. Evaluate x, which `swapAverage` puts in their place. x is not stored.
 *
 * ```
 * γₜ = α of step t                             a warm-up by a schedule is advised; no decay is needed
 * z ← z − γₜ(g + λy)                           from θ
 * x ← (1 − cₜ)x + cₜz                          cₜ = Γₜ²/(Γ₁² + … + Γₜ²), Γₜ = max(γ₁, …, γₜ)
 * θ = y ← (1 − β)z + βx
 * ```
 *
 * @see Defazio et al., "The Road Less Scheduled", arXiv:2405.15682, equations 3 to 5, and the authors' code
 * facebookresearch/schedule_free, which weights by the largest γ so far.
 */
export const scheduleFreeSgd: UpdateRule<ScheduleFreeSgdHyperparameters, 'z', never> = defineRule({
  name: 'ScheduleFreeSGD',
  defaults: { learningRate: 1, weightDecay: 0, decay: 'l2', beta1: 0.9 },
  // Decoupled decay would be the same.
  ranges: { ...ranges, decay: { ...oneOf('l2'), description: 'kind of weight decay' } },
  stateNames: () => ['z'],
  startsAsTheta: ['z'],
  evaluationPoint,
  scalars: averageOf(rateOfSgd),
  coefficients: (hyperparameters, _, scalars) =>
    scheduleFreeCoefficients(rateOfSgd(hyperparameters), scalars),
  update: (arithmetic, inputs, c) => scheduleFreeStep(arithmetic, inputs, inputs.g, c),
})

const rateOfAdamW = (
  { learningRate, beta2 }: ScheduleFreeAdamWHyperparameters,
  t: number,
): number => learningRate * Math.sqrt(1 - beta2 ** t)

/**
 * Schedule-Free AdamW: as Schedule-Free SGD, with the steps of Adam without momentum, which the average
 * replaces. Weight decay is that of y, and moves z.
 *
 * ```
 * γₜ = α√(1 − β₂ᵗ)
 * v ← β₂v + (1 − β₂)g²
 * z ← z − γₜ(g/(√v + ε) + λy)                  from θ
 * x ← (1 − cₜ)x + cₜz                          cₜ = Γₜ²/(Γ₁² + … + Γₜ²), Γₜ = max(γ₁, …, γₜ)
 * θ = y ← (1 − β)z + βx
 * ```
 *
 * @see Defazio et al., "The Road Less Scheduled", arXiv:2405.15682, algorithm 1, and the authors' code
 * facebookresearch/schedule_free, which weights by the largest γ so far.
 */
export const scheduleFreeAdamW: UpdateRule<ScheduleFreeAdamWHyperparameters, 'z' | 'v', never> =
  defineRule({
    name: 'ScheduleFreeAdamW',
    defaults: {
      learningRate: 2.5e-3,
      weightDecay: 0,
      decay: 'decoupled',
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
    },
    ranges,
    appliesDecay: true,
    stateNames: () => ['z', 'v'],
    startsAsTheta: ['z'],
    evaluationPoint,
    scalars: averageOf(rateOfAdamW),
    coefficients(hyperparameters, t, scalars) {
      const { beta2, epsilon } = hyperparameters
      const rate = rateOfAdamW(hyperparameters, t)
      return {
        ...scheduleFreeCoefficients(rate, scalars),
        ...{ beta2, oneMinusBeta2: 1 - beta2, epsilon },
      }
    },
    update(arithmetic, inputs, c) {
      const { add, div, sqrt, square } = arithmetic
      const v = movingAverage(arithmetic, inputs.v, square(inputs.g), c.beta2, c.oneMinusBeta2)
      const direction = div(inputs.g, add(sqrt(v), c.epsilon))
      return { ...scheduleFreeStep(arithmetic, inputs, direction, c), v }
    },
  })
