import type { Histogram } from '@diffgrad/core'
import type { Config } from '../config/config.ts'
import type { LearningRate } from '../config/optimizer.ts'
import { ruleOf, statisticsBatches } from '../config/rule.ts'
import type { Loader } from '../data/batch.ts'
import type { Dataset } from '../data/dataset.ts'
import type { TrainingEngine } from '../engine/engine.ts'
import { type Evaluation, evaluate } from '../evaluation/evaluate.ts'
import { summarizeEvaluation } from '../evaluation/summary.ts'
import { Divergence, messageOf } from '../failure.ts'
import { formatPercent } from '../format.ts'
import type { RankGroup } from '../rank-group.ts'
import type { EventFile } from '../run/event-file.ts'
import {
  bestEpoch,
  type EpochRow,
  endOf,
  frictionEdges,
  hasFriction,
  isFrictionRecorded,
  type TrainingState,
} from '../run/history.ts'
import type { RunFolder } from '../run/run-folder.ts'
import type { TrainingProgress } from '../terminal/training-progress.ts'
import type { LivePage } from '../watch/live-page.ts'

/** What the training loop works with. */
export interface Training {
  readonly config: Config
  readonly dataset: Dataset
  readonly loader: Loader
  readonly engine: TrainingEngine
  readonly learningRate: LearningRate
  readonly folder: RunFolder
  readonly events: EventFile
  readonly progress: TrainingProgress
  /** The processes that train together. Their signal aborts to end the training after the step in progress. */
  readonly ranks: RankGroup
  readonly livePage?: LivePage | undefined
}

/**
 * Trains from a state until so many epochs are complete, the training ends early, or the signal aborts. In
 * any case the last checkpoint is written at the end.
 *
 * @throws {Divergence} If a training or validation loss is not finite.
 */
export async function train(
  training: Training,
  from: TrainingState,
  epochs: number,
): Promise<TrainingState> {
  const { config, ranks } = training
  const { signal } = ranks
  let state = from
  const isDone = (): boolean =>
    state.position.epoch >= epochs || endOf(state.history, config) !== undefined
  while (!isDone() && !signal.aborted) {
    state = await trainEpoch(training, state)
    const evaluation = signal.aborted ? undefined : await validate(training, state)
    if (evaluation) state = await finishEpoch(training, state, evaluation)
    await saveLast(training, state)
  }
  return state
}

/** Trains to the end of the epoch, or until the signal aborts. Each rank takes every so many batches. */
async function trainEpoch(training: Training, from: TrainingState): Promise<TrainingState> {
  const { config, loader, engine, ranks } = training
  const { batchesPerEpoch } = loader
  const { epoch, batch: firstBatch } = from.position
  const recordsFriction = hasFriction(config)
  let state = from
  let saved = performance.now()
  let before = performance.now()
  const batches = loader.train(epoch, firstBatch + ranks.rank, ranks.size)[Symbol.asyncIterator]()
  const isBetweenUpdates = (): boolean =>
    ranks.size === 1 || state.history.losses.length % config.accumulate === 0
  for (;;) {
    const next = await ranks.together(() => batches.next(), isBetweenUpdates())
    if (next.done || (ranks.size > 1 && ranks.signal.aborted)) break
    const { batch: position } = state.position
    const isRecorded = (i: number): boolean =>
      recordsFriction && isFrictionRecorded(position + i, batchesPerEpoch)
    const edges = isRecorded(ranks.rank) ? frictionEdges : undefined
    const { friction, ranks: all, ...own } = await engine.step(next.value, edges)
    const results = all ?? [own]
    const histograms = results.some((_, i) => isRecorded(i))
      ? await gatherFriction(ranks, friction)
      : []
    const now = performance.now()
    const seconds = (now - before) / 1000 / results.length
    for (const [i, { loss, accuracy }] of results.entries()) {
      const result = { loss, accuracy, seconds, friction: histograms[i] }
      state = await recordStep(training, state, result, next.value.labels.length)
    }
    before = now
    if (ranks.size === 1 && ranks.signal.aborted) break
    if (now - saved >= 1000 * config.saveEvery && isBetweenUpdates()) {
      await saveLast(training, state)
      saved = performance.now()
    }
  }
  await batches.return?.()
  return state
}

/** The histogram of ξ of each rank that has one. */
async function gatherFriction(
  ranks: RankGroup,
  friction: Histogram | undefined,
): Promise<readonly (Histogram | undefined)[]> {
  if (ranks.size === 1) return [friction]
  const { mean = 0, outside = 0, counts = frictionEdges.slice(1).map(() => 0) } = friction ?? {}
  const all = await ranks.gather([Number(friction !== undefined), mean, outside, ...counts])
  return all.map(([has, mean, outside, ...counts]) =>
    has === 1 ? { edges: frictionEdges, counts, outside, mean } : undefined,
  )
}

/** The result of a train step on one batch. */
interface StepRecord {
  readonly loss: number
  readonly accuracy: number
  readonly seconds: number
  readonly friction: Histogram | undefined
}

/** Adds a train step to the state, the event file and the progress. */
async function recordStep(
  training: Training,
  { position, history, ...state }: TrainingState,
  { loss, accuracy, seconds, friction }: StepRecord,
  images: number,
): Promise<TrainingState> {
  const { events, progress, livePage } = training
  const step = history.losses.length
  const learningRate = training.learningRate(step, history)
  const values = { 'train/loss': loss, 'train/accuracy': accuracy, 'learning rate': learningRate }
  await events.add({ step, values: { ...values, ...(friction && { xi: friction }) } })
  const report = { steps: step + 1, images, loss, learningRate }
  progress.step(report)
  livePage?.step(report)
  return {
    ...state,
    position: {
      epoch: position.epoch,
      batch: position.batch + 1,
      accuracies: position.accuracies + accuracy,
      seconds: position.seconds + seconds,
    },
    history: {
      ...history,
      losses: [...history.losses, loss],
      friction: friction ? [...history.friction, { step, histogram: friction }] : history.friction,
    },
  }
}

/** Evaluates the weights after an epoch; undefined if the signal aborts. */
async function validate(
  training: Training,
  { position }: TrainingState,
): Promise<Evaluation | undefined> {
  const { config, engine, loader, dataset, ranks } = training
  try {
    if (ruleOf(config).evaluationPoint) await reestimate(training, position.epoch)
    return await evaluate(engine, loader, dataset, { batch: config.batch, ranks })
  } catch (cause) {
    if (!(cause instanceof Divergence)) throw cause
    throw new Divergence(`after epoch ${position.epoch + 1}: ${messageOf(cause)}`, { cause })
  }
}

/** Estimates the running statistics of the averaged weights from batches of an epoch, as far as the signal permits. */
async function reestimate({ engine, loader, ranks }: Training, epoch: number): Promise<void> {
  const count = Math.min(statisticsBatches, loader.batchesPerEpoch)
  const batches = loader.train(epoch, ranks.rank, ranks.size)[Symbol.asyncIterator]()
  for (let first = 0; first + ranks.size <= count; first += ranks.size) {
    const next = await ranks.together(() => batches.next(), true)
    if (next.done || ranks.signal.aborted) break
    await engine.reestimate(next.value)
  }
  await batches.return?.()
}

/** Records the results of an epoch, and saves the best checkpoint if its top-1 accuracy is a new best. */
async function finishEpoch(
  training: Training,
  state: TrainingState,
  evaluation: Evaluation,
): Promise<TrainingState> {
  const { engine, folder, dataset, events, progress, loader, config, ranks } = training
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
    imagesPerSecond: (losses.length * config.batch) / position.seconds,
  }
  await engine.report(loss)
  const next: TrainingState = {
    events: events.length,
    position: { epoch: position.epoch + 1, batch: 0, accuracies: 0, seconds: 0 },
    history: { ...history, epochs: [...history.epochs, row] },
  }
  const values = { 'validation/loss': loss, 'validation/top-1': top1, 'validation/top-5': top5 }
  await events.add({ step: step - 1, values })
  if (ranks.isFirst && bestEpoch(next.history) === row) {
    await folder.saveCheckpoint('best', await engine.save({ ...next, events: events.length }))
    await folder.saveEvaluation(await summarizeEvaluation(evaluation, dataset, row.epoch))
  }
  progress.line(epochLine(row, config.epochs))
  return next
}

const epochLine = (row: EpochRow, epochs: number): string =>
  [
    `epoch ${row.epoch} of ${epochs}`,
    `loss ${row.trainLoss.toFixed(3)}, accuracy ${formatPercent(row.trainAccuracy)}`,
    `validation loss ${row.validationLoss.toFixed(3)}, top-1 ${formatPercent(row.top1)}`,
    `${row.imagesPerSecond.toFixed(0)} images/s`,
  ].join(' · ')

/** Writes the last checkpoint, and then the history. The first rank does. */
async function saveLast(
  { engine, folder, events, livePage, ranks }: Training,
  state: TrainingState,
): Promise<void> {
  if (!ranks.isFirst) return
  await folder.saveCheckpoint('last', await engine.save({ ...state, events: events.length }))
  await folder.saveHistory(state.history)
  livePage?.saved()
}
