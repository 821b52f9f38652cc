import { frictionEdges, hasFriction, isRead } from './friction.ts'
import type { TrainingState } from './history.ts'
import { save, type Training } from './training.ts'

/** Trains to the end of the epoch, or until the signal aborts. */
export async function trainEpoch(training: Training, from: TrainingState): Promise<TrainingState> {
  const { config, loader, engine, events, progress, signal } = training
  const { batchesPerEpoch } = loader
  const { epoch, batch: first } = from.position
  const reads = hasFriction(config.optimizer)
  let state = from
  let saved = performance.now()
  let before = performance.now()
  for await (const batch of loader.train(epoch, first)) {
    const { position, history } = state
    const edges = reads && isRead(position.batch, batchesPerEpoch) ? frictionEdges : undefined
    const step = history.losses.length
    const { loss, accuracy, friction } = await engine.step(batch, edges)
    const now = performance.now()
    state = {
      events: state.events,
      position: {
        epoch,
        batch: position.batch + 1,
        accuracies: position.accuracies + accuracy,
        seconds: position.seconds + (now - before) / 1000,
      },
      history: {
        ...history,
        losses: [...history.losses, loss],
        friction: friction
          ? [...history.friction, { step, histogram: friction }]
          : history.friction,
      },
    }
    before = now
    const learningRate = training.learningRate(step, history)
    const values = { 'train/loss': loss, 'train/accuracy': accuracy, 'learning rate': learningRate }
    await events.add({ step, values: { ...values, ...(friction && { xi: friction }) } })
    progress.step({ steps: step + 1, pictures: batch.labels.length, loss, learningRate })
    // The runtime holds the thread: let signals and workers through.
    await new Promise(setImmediate)
    if (signal.aborted) break
    if (now - saved >= 1000 * config.saveEvery) {
      await save(training, state)
      saved = performance.now()
    }
  }
  return state
}
