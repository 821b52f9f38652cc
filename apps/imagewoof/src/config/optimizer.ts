import {
  constant,
  type Hyperparameters,
  join,
  linear,
  noDecayOnBiasAndNorm,
  oneCycleMomentum,
  type Schedule,
  scheduleValue,
} from '@diffgrad/core'
import type { OptimizerSpec } from '@diffgrad/onnxruntime'
import { schedules } from './choices.ts'
import { type Config, momentumKey, ruleOptions } from './config.ts'
import { ruleOf } from './rule.ts'

/** The number of optimizer updates in the whole training, at least 1. */
export const updatesOf = ({ epochs, accumulate }: Config, batchesPerEpoch: number): number =>
  Math.max(Math.floor((epochs * batchesPerEpoch) / accumulate), 1)

/** The warm-up of the decay of the EMA that timm's ModelEmaV3 has by default. */
const timmWarmup = { gamma: 1, power: 2 / 3 }

/** The optimizer of a configuration, scheduled over so many updates. Biases and norms do not decay. */
export function optimizerOf(config: Config, updates: number): OptimizerSpec<Hyperparameters> {
  const { weightDecay, decay, accumulate, clip, ema, emaWarmup } = config
  const options = {
    ...ruleOptions(config),
    ...scheduledOptions(config, updates),
    weightDecay,
    decay,
    groups: [noDecayOnBiasAndNorm],
    accumulate,
    ...(clip !== undefined && { clip: { by: 'globalNorm' as const, limit: clip } }),
    ...(ema !== undefined && {
      ema: { decay: ema, ...(emaWarmup && { warmup: timmWarmup }) },
    }),
  }
  return { rule: ruleOf(config), ...options }
}

/** The first learning rate of a warm-up, as a share of the full one: as in torchvision's recipes. */
const warmupStart = 0.01

/**
 * The options of an optimizer that change over so many updates: the learning rate, and with one-cycle the
 * momentum. A warm-up is a straight line to the full learning rate; the schedule takes the updates after
 * it. One-cycle and the inverse square root have a rise of their own, whose length it becomes.
 *
 * @see Goyal et al., "Accurate, Large Minibatch SGD", arXiv:1706.02677, section 2.2.
 */
export function scheduledOptions(
  config: Config,
  updates: number,
): { readonly learningRate: Schedule | number; readonly [momentum: string]: Schedule | number } {
  const { schedule, learningRate, flat } = config
  const warmup = warmupUpdates(config, updates)
  if (schedule === 'one-cycle' || schedule === 'inverse-square-root') {
    const rise = warmup > 0 ? warmup / updates : undefined
    return {
      learningRate: schedules[schedule]({ learningRate, updates, rise }),
      ...(schedule === 'one-cycle' &&
        updates >= 2 && {
          [momentumKey(config)]: oneCycleMomentum({ steps: updates, start: rise }),
        }),
    }
  }
  const rest = updates - warmup
  const after = schedules[schedule]({ learningRate, updates: rest, flat })
  if (warmup === 0) return { learningRate: after }
  const rise = linear({ from: warmupStart * learningRate, to: learningRate, steps: warmup })
  return {
    learningRate: join(
      { schedule: rise, steps: warmup },
      { schedule: typeof after === 'number' ? constant(after) : after, steps: rest },
    ),
  }
}

/** The updates of the warm-up: at least one if there is a warm-up, and fewer than all. */
const warmupUpdates = ({ warmup, epochs }: Config, updates: number): number =>
  warmup === 0 ? 0 : Math.min(Math.max(Math.round((updates * warmup) / epochs), 1), updates - 1)

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
