import {
  type Hyperparameters,
  noDecayOnBiasAndNorm,
  oneCycleMomentum,
  scheduleValue,
} from '@diffgrad/core'
import type { OptimizerSpec } from '@diffgrad/onnxruntime'
import { rules, schedules } from './choices.ts'
import { type Config, momentumKey, ruleSettings } from './config.ts'

/** The number of optimizer updates in the whole training, at least 1. */
export const updatesOf = ({ epochs, accumulate }: Config, batchesPerEpoch: number): number =>
  Math.max(Math.floor((epochs * batchesPerEpoch) / accumulate), 1)

/** The optimizer of a configuration, scheduled over so many updates. Biases and norms do not decay. */
export function optimizerOf(config: Config, updates: number): OptimizerSpec<Hyperparameters> {
  const { optimizer, schedule, learningRate, weightDecay, decay, accumulate, clip, ema } = config
  const ruleOptions = Object.entries(ruleSettings).flatMap(([key, coreKey]) => {
    const value = config[key as keyof typeof ruleSettings] // `Object.entries` widens keys to string.
    return value === undefined ? [] : [[coreKey, value] as const]
  })
  const cycles = schedule === 'one-cycle' && updates >= 2
  const options = {
    ...Object.fromEntries(ruleOptions),
    ...(cycles && { [momentumKey(config)]: oneCycleMomentum({ steps: updates }) }),
    learningRate: schedules[schedule]({ learningRate, updates, flat: config.flat }),
    weightDecay,
    decay,
    groups: [noDecayOnBiasAndNorm],
    accumulate,
    ...(clip !== undefined && { clip: { by: 'globalNorm' as const, limit: clip } }),
    ...(ema !== undefined && { ema: { decay: ema } }),
  }
  return { rule: rules[optimizer], ...options }
}

/** The validation losses so far: the input of plateau schedules. */
interface ValidationLosses {
  readonly epochs: readonly { readonly epoch: number; readonly validationLoss: number }[]
}

/** The learning rate of a train step, counted from 0. */
export type LearningRate = (step: number, losses: ValidationLosses) => number

/** The learning-rate schedule of a configuration, by train steps rather than optimizer updates. */
export function learningRateOf(config: Config, batchesPerEpoch: number): LearningRate {
  const { learningRate = 0 } = optimizerOf(config, updatesOf(config, batchesPerEpoch))
  const updateOf = (step: number): number => Math.floor(step / config.accumulate)
  return (step, { epochs }) => {
    const reports = epochs.map(({ epoch, validationLoss }) => ({
      step: updateOf(epoch * batchesPerEpoch),
      loss: validationLoss,
    }))
    return scheduleValue(learningRate, updateOf(step), reports)
  }
}
