import type { Evaluation } from '../evaluation/evaluate.ts'
import { judge } from '../run/judgement.ts'
import { bestOf, type EpochRow, type TrainingState } from './history.ts'
import type { Training } from './training.ts'

/** Notes what the epoch gave, and keeps the weights if none were better. */
export async function endEpoch(
  training: Training,
  state: TrainingState,
  evaluation: Evaluation,
): Promise<TrainingState> {
  const { engine, folder, dataset, events, progress, loader, config } = training
  const { history, position } = state
  const { loss, top1, top5 } = evaluation
  const losses = history.losses.slice(-loader.batchesPerEpoch)
  const step = history.losses.length
  const row: EpochRow = {
    epoch: position.epoch + 1,
    trainLoss: losses.reduce((a, b) => a + b, 0) / losses.length,
    trainAccuracy: position.accuracies / losses.length,
    validationLoss: loss,
    top1,
    top5,
    learningRate: training.learningRate(step - 1, history),
    seconds: position.seconds,
    picturesPerSecond: (losses.length * config.batch) / position.seconds,
  }
  await engine.report(loss)
  const next: TrainingState = {
    events: events.length,
    position: { epoch: position.epoch + 1, batch: 0, accuracies: 0, seconds: 0 },
    history: { ...history, epochs: [...history.epochs, row] },
  }
  const values = { 'validation/loss': loss, 'validation/top-1': top1, 'validation/top-5': top5 }
  await events.add({ step: step - 1, values })
  if (bestOf(next.history) === row) {
    await folder.saveCheckpoint('best', await engine.save({ ...next, events: events.length }))
    await folder.saveJudgement(await judge(evaluation, dataset, row.epoch))
  }
  progress.line(epochLine(row, config.epochs))
  return next
}

const percent = (x: number): string => `${(100 * x).toFixed(1)} %`

const epochLine = (row: EpochRow, epochs: number): string =>
  [
    `epoch ${row.epoch} of ${epochs}`,
    `loss ${row.trainLoss.toFixed(3)}, accuracy ${percent(row.trainAccuracy)}`,
    `validation loss ${row.validationLoss.toFixed(3)}, top-1 ${percent(row.top1)}`,
    `${row.picturesPerSecond.toFixed(0)} images/s`,
  ].join(' · ')
