import { type Checkpoint, readCheckpoint, writeCheckpoint } from '@diffgrad/onnxruntime'
import { type Config, momentumKey } from '../config/config.ts'
import { scheduledOptions, updatesOf } from '../config/optimizer.ts'
import type { TrainingEngine } from '../engine/engine.ts'
import type { EpochsChange, TrainingState } from '../run/history.ts'

// What is read from the checkpoints of a run, and how they change between engines and schedules.

/** The training state in a checkpoint: its notes are those that train.ts passes to `engine.save`. */
export const stateOf = (checkpoint: Uint8Array): TrainingState =>
  readCheckpoint(checkpoint).notes as TrainingState

/** The weights of a checkpoint, or their EMA if there is one. */
export function evaluatedWeights(checkpoint: Uint8Array): Checkpoint['weights'] {
  const { weights, optimizer } = readCheckpoint(checkpoint)
  const entries = Object.entries(weights).map(([name, { shape, data }]) => {
    const { ema } = optimizer.parameters[name]?.state ?? {}
    return [name, { shape, data: ema === undefined ? data : Float32Array.from(ema) }] as const
  })
  return Object.fromEntries(entries)
}

/**
 * Loads a checkpoint into an engine that may train more parameters, as after the stage of the head alone.
 * These keep their weights, have no optimizer state yet, and follow the schedule of the others.
 */
export async function loadCheckpoint(
  engine: TrainingEngine,
  bytes: Uint8Array,
  config: Config,
): Promise<void> {
  if (config.tune === undefined || config.tune === 'all' || config.tune === 'head') {
    await engine.load(bytes)
    return
  }
  const initial = readCheckpoint(await engine.save(null))
  const saved = readCheckpoint(bytes)
  const [trained] = Object.values(saved.optimizer.parameters)
  // A plateau schedule has its progress in the options.
  const scheduled = Object.entries(trained.options).filter(([option]) =>
    ['learningRate', momentumKey(config)].includes(option),
  )
  const added = Object.entries(initial.optimizer.parameters)
    .filter(([name]) => !Object.hasOwn(saved.optimizer.parameters, name))
    .map(([name, parameter]) => {
      const options = { ...parameter.options, ...Object.fromEntries(scheduled) }
      return [name, { ...parameter, options }] as const
    })
  const parameters = { ...saved.optimizer.parameters, ...Object.fromEntries(added) }
  const weights = { ...initial.weights, ...saved.weights }
  await engine.load(
    writeCheckpoint({ ...saved, weights, optimizer: { ...saved.optimizer, parameters } }),
  )
}

/**
 * Changes the number of epochs of a checkpoint: from its next step on, the schedule is that of a training
 * with so many epochs from its beginning. Constant rates and plateaus do not depend on it.
 *
 * @param config - with the new number of epochs.
 */
export function withEpochs(
  bytes: Uint8Array,
  config: Config,
  batchesPerEpoch: number,
  from: number,
): Uint8Array {
  const { notes, optimizer, ...saved } = readCheckpoint(bytes)
  const { position, history, ...state } = notes as TrainingState
  const change: EpochsChange = {
    epoch: position.epoch,
    step: history.losses.length,
    from,
    to: config.epochs,
  }
  const scheduled =
    config.schedule === 'plateau'
      ? {}
      : scheduledOptions(config, updatesOf(config, batchesPerEpoch))
  const parameters = Object.entries(optimizer.parameters).map(([name, parameter]) => {
    return [name, { ...parameter, options: { ...parameter.options, ...scheduled } }] as const
  })
  return writeCheckpoint({
    ...saved,
    optimizer: { ...optimizer, parameters: Object.fromEntries(parameters) },
    notes: {
      ...state,
      position,
      history: { ...history, epochsChanges: [...(history.epochsChanges ?? []), change] },
    },
  })
}
