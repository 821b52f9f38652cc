import { type Hyperparameters, noDecayOnBiasAndNorm, oneCycleMomentum } from '@diffgrad/core'
import type { OptimizerSpec } from '@diffgrad/onnxruntime'
import { type Config, momentumOf, ownSettings } from '../config/config.ts'
import { rules } from './rules.ts'
import { schedules } from './schedules.ts'

/** The optimizer of a configuration, for so many updates. Biases and norms do not decay. */
export function optimizerOf(config: Config, updates: number): OptimizerSpec<Hyperparameters> {
  const { optimizer, schedule, learningRate, weightDecay, decay, accumulate, clip, ema } = config
  const own = Object.entries(ownSettings).flatMap(([key, place]) => {
    const value = config[key as keyof typeof ownSettings] // Entries forget what keys they have.
    return value === undefined ? [] : [[place, value] as const]
  })
  const cycles = schedule === 'one-cycle' && updates >= 2
  const settings = {
    ...Object.fromEntries(own),
    ...(cycles && { [momentumOf(config)]: oneCycleMomentum({ steps: updates }) }),
    learningRate: schedules[schedule]({ learningRate, updates, flat: config.flat }),
    weightDecay,
    decay,
    groups: [noDecayOnBiasAndNorm],
    accumulate,
    ...(clip !== undefined && { clip: { by: 'globalNorm' as const, limit: clip } }),
    ...(ema !== undefined && { ema: { decay: ema } }),
  }
  return { rule: rules[optimizer], ...settings }
}
