import { scheduleValue } from '@diffgrad/core'
import type { Config } from '../config/config.ts'
import { optimizerOf } from './optimizer.ts'
import { updatesOf } from './recipe.ts'

/** What plateau schedules look at. */
interface Seen {
  readonly epochs: readonly { readonly epoch: number; readonly validationLoss: number }[]
}

/** The learning rate of a train step, counted from 0, after what has been seen. */
export type LearningRate = (step: number, seen: Seen) => number

/** The course of the learning rate over all steps of a training. */
export function learningRateOf(config: Config, batchesPerEpoch: number): LearningRate {
  const { learningRate = 0 } = optimizerOf(config, updatesOf(config, { batchesPerEpoch }))
  const update = (step: number): number => Math.floor(step / config.accumulate)
  return (step, { epochs }) => {
    const reports = epochs.map(({ epoch, validationLoss }) => ({
      step: update(epoch * batchesPerEpoch),
      loss: validationLoss,
    }))
    return scheduleValue(learningRate, update(step), reports)
  }
}
