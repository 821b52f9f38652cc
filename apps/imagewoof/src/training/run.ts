import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { writeModel } from '@diffgrad/onnx'
import { type Config, resolveConfig, tuneStages } from '../config/config.ts'
import { learningRateOf } from '../config/optimizer.ts'
import { isRuleModule, ruleOf } from '../config/rule.ts'
import { balancedClassWeights, type Dataset } from '../data/dataset.ts'
import { archives, isUrl } from '../data/sources/locate.ts'
import { openEngine } from '../engine/engine-thread.ts'
import { Failure, WriteFailure } from '../failure.ts'
import { checkBackbone } from '../model/backbone.ts'
import { savedModel } from '../model/network.ts'
import type { Provider } from '../provider.ts'
import type { RankGroup } from '../rank-group.ts'
import { describeEnvironment, requireSameData } from '../run/environment.ts'
import { EventFile } from '../run/event-file.ts'
import {
  endOf,
  initialState,
  plannedEpochs,
  stopReason,
  type TrainingState,
} from '../run/history.ts'
import { RunFolder, requireNewFolder } from '../run/run-folder.ts'
import type { CommandContext } from '../terminal/context.ts'
import { showTrainingProgress } from '../terminal/training-progress.ts'
import { loadCheckpoint, stateOf, withEpochs } from './checkpoint.ts'
import { initialModel } from './load-run.ts'
import { openData, openSession, type Session } from './session.ts'
import { train } from './train.ts'

/** A run after `startRun` or `resumeRun`. */
export interface Run {
  readonly folder: RunFolder
  readonly config: Config
  readonly state: TrainingState
  /** False if the training was interrupted. */
  readonly finished: boolean
}

/** How a run is trained. */
export interface RunOptions {
  /** The data, if it is already open. */
  readonly dataset?: Dataset | undefined
  /** Stops after so many epochs, as an interruption would: the schedule is that of the whole training. */
  readonly until?: number | undefined
}

/**
 * Trains by a configuration, in a new run folder.
 *
 * @throws {Failure} If configuration, data and run folder do not permit it.
 */
export async function startRun(
  settings: Config,
  path: string,
  context: CommandContext,
  { dataset, until }: RunOptions = {},
): Promise<Run> {
  const config = withAbsolutePaths(settings)
  const { ranks } = context
  checkRanks(config, ranks)
  await ranks.requireSame(sharedSettings(config))
  await ranks.together(async () => {
    if (ranks.isFirst) await requireNewFolder(path, 'run folder')
    ruleOf(config) // Refuses a changed module before the run has a folder.
  })
  const { opened, model } = await ranks.inTurn(async () => {
    await checkBackbone(config)
    const opened = dataset ?? (await openData(config, context))
    return { opened, model: await initialModel(config, opened.classes, context) }
  })
  await ranks.requireSame(dataLines(opened))
  const session = await ranks.together(() => openSession(config, opened, async () => model, ranks))
  try {
    const isBuilt = config.backbone === undefined && config.from === undefined
    const environment = describeEnvironment(opened, config, context)
    const saved = isBuilt ? undefined : writeModel(model)
    const folder = await ranks.inTurn(() =>
      ranks.isFirst
        ? RunFolder.create(path, config, environment, saved)
        : RunFolder.open(path, false),
    )
    return await trainFrom({ until }, session, folder, context)
  } finally {
    await session.close()
  }
}

/**
 * @param position - batches of the epoch that are complete.
 * @throws {Failure} If several ranks cannot share the batches of each update.
 */
function checkRanks(
  { accumulate, engine }: Config,
  { size }: Pick<RankGroup, 'size'>,
  position = 0,
): void {
  if (size > 1 && engine === 'tfjs')
    throw new Failure(`--engine tfjs trains in one process, but mpirun has started ${size}`)
  if (accumulate % size !== 0)
    throw new Failure(
      `--accumulate must be a multiple of the ${size} processes that share the batches of an update, but is ${accumulate}`,
    )
  if (position % size !== 0)
    throw new Failure(
      `the run was interrupted after ${position} batches of an epoch, which ${size} processes do not divide; resume it with another number of processes`,
    )
}

/** The settings that ranks must share: all but those of their machines, one a line. */
const sharedSettings = ({ data: _, threads: __, ...settings }: Config): readonly string[] =>
  Object.entries(settings).map(([name, value]) => `the setting ${name} ${JSON.stringify(value)}`)

/** The data that ranks must share, one line for each way to differ. */
const dataLines = ({ classes, train, validation, version, hash }: Dataset): readonly string[] => [
  `${train.labels.length} training and ${validation.labels.length} validation images`,
  `the classes ${classes.join(', ')}`,
  `images decoded by version ${version}`,
  `images of SHA-256 ${hash}`,
]

/** How a run is resumed. */
export interface ResumeOptions extends RunOptions {
  /** Another number of epochs. It is saved in the configuration. */
  readonly epochs?: number | undefined
}

/**
 * Resumes a run from its last checkpoint, or restarts it if it has none. Of a finished run, says so.
 *
 * @throws {Failure} If the path is not a run folder, another process owns it, the data has changed, or
 * more epochs are complete or begun than there should be.
 */
export async function resumeRun(
  path: string,
  context: CommandContext,
  { dataset, until, epochs }: ResumeOptions = {},
): Promise<Run> {
  const { ranks } = context
  const { folder, saved, last } = await ranks.inTurn(async () => {
    const folder = await RunFolder.open(path, ranks.isFirst)
    if (ranks.isFirst) await folder.own()
    const [saved, last] = [await folder.config(), await folder.checkpoint('last')]
    return { folder, saved, last }
  })
  let checkpoint = last
  const { history, position } = checkpoint ? stateOf(checkpoint) : initialState
  // A kill after the checkpoint of a change leaves an older config.json.
  const before = plannedEpochs(history, saved)
  const planned = { ...saved, epochs: before }
  if (endOf(history, planned) !== undefined && epochs === undefined) {
    const reason = stopReason(history, planned)
    const why = reason ? `. ${reason}` : `: all ${before} epochs are complete.`
    const longer = `To train longer: resume with --epochs above ${history.epochs.length}.`
    context.screen.write(`${path} is finished${why} ${longer}`)
    // Data that the user names is checked.
    if (context.dataPath === undefined) {
      // A kill between the two writes of a save leaves an older history.
      await folder.saveHistory(history)
      return { folder, config: planned, state: { ...initialState, history }, finished: true }
    }
  }
  const begun = position.epoch + Number(position.batch > 0)
  if (epochs !== undefined && epochs < begun)
    throw new Failure(
      `--epochs must be at least ${begun}, the epochs that are complete or begun, but is ${epochs}`,
    )
  const config = withAbsolutePaths(resolveConfig({ ...saved, epochs: epochs ?? before }))
  checkRanks(config, ranks, position.batch)
  await ranks.requireSame(sharedSettings(config))
  const { opened, environment } = await ranks.inTurn(async () => {
    const opened = dataset ?? (await openData(config, context))
    const environment = await folder.environment()
    requireSameData(opened, environment, path)
    return { opened, environment }
  })
  const session = await ranks.together(() =>
    openSession(config, opened, savedModel(folder.initialModelFile), ranks),
  )
  try {
    if (checkpoint && config.epochs !== before) {
      checkpoint = withEpochs(checkpoint, config, session.loader.batchesPerEpoch, before)
      await folder.saveCheckpoint('last', checkpoint)
      context.screen.write(`${epochsChangeNote(config, before, position.epoch)}\n`)
    }
    if (config.epochs !== saved.epochs) await folder.saveConfig(config)
    const { provider = 'cpu', threads = config.threads } = environment
    const from = {
      checkpoint,
      until,
      ...(config.engine === 'onnxruntime' && { provider, threads }),
    }
    return await trainFrom(from, session, folder, context)
  } finally {
    await session.close()
  }
}

/** What a change of the number of epochs does to the schedule. */
const epochsChangeNote = ({ schedule, epochs }: Config, before: number, epoch: number): string =>
  `epochs: ${before} → ${epochs}, after ${epoch}. ${
    schedule === 'plateau' || schedule === 'constant'
      ? `The schedule, ${schedule}, does not depend on the number of epochs.`
      : `From here on, the learning rate is that of ${schedule} over ${epochs} epochs.`
  }`

/** What a run is resumed from. */
interface ResumePoint {
  readonly checkpoint?: Uint8Array | undefined
  /** The provider that the run was started with; undefined if it is started now, or on tfjs. */
  readonly provider?: Provider | undefined
  /** The threads that the run was started with; likewise. */
  readonly threads?: number | undefined
  /** See `RunOptions`. */
  readonly until?: number | undefined
}

/** Trains from a checkpoint, or from the beginning, through all stages of the configuration. */
async function trainFrom(
  { checkpoint: from, until = Number.POSITIVE_INFINITY, ...first }: ResumePoint,
  session: Session,
  folder: RunFolder,
  { screen, livePage, ranks, provider = 'cpu', threads = session.config.threads }: CommandContext,
): Promise<Run> {
  const { config, dataset, loader, model } = session
  const { batchesPerEpoch } = loader
  let state = from ? stateOf(from) : initialState
  // A kill between the two writes of a save leaves an older history.
  if (from) await folder.saveHistory(state.history)
  if (endOf(state.history, config) !== undefined) return { folder, config, state, finished: true }
  const { history } = state
  const providerBefore = history.providerChanges?.at(-1)?.to ?? first.provider
  const threadsBefore = history.threadsChanges?.at(-1)?.to ?? first.threads
  if (providerBefore !== undefined && providerBefore !== provider) {
    state = withChange(state, 'providerChanges', providerBefore, provider)
    screen.write(`${providerChangeNote(providerBefore, provider)}\n`)
  }
  if (threadsBefore !== undefined && threadsBefore !== threads) {
    state = withChange(state, 'threadsChanges', threadsBefore, threads)
    screen.write(
      `threads: ${threadsBefore} → ${threads}. From here on, results differ from those of ${threadsBefore} by rounding.\n`,
    )
  }
  if (ranks.size > 1)
    screen.write(
      `${ranks.size} processes train together. If one dies, all end; \`resume ${folder.path}\`, by any number of processes, continues from the last checkpoint.`,
    )
  if (config.classWeights === 'balanced') screen.write(`${classWeightsNote(dataset)}\n`)
  const steps = Math.min(config.epochs, until) * batchesPerEpoch
  const progress = showTrainingProgress(screen, steps, state.history.losses.length)
  livePage?.showRun(folder.path, steps)
  const events = ranks.isFirst
    ? await EventFile.open(folder.path, state.events)
    : EventFile.discarded()
  try {
    const learningRate = learningRateOf(config, batchesPerEpoch)
    const common = { config, dataset, loader, learningRate, folder, events, progress, ranks }
    const own = { ...config, threads }
    for (const stage of tuneStages(config)) {
      const end = Math.min(stage.end, until)
      if (state.position.epoch >= end || ranks.signal.aborted) continue
      const isNew = state.history.losses.length === 0
      // The first rank has written it before the others read it.
      const checkpoint = isNew ? undefined : await ranks.inTurn(() => folder.checkpoint('last'))
      const engine = await openEngine(own, batchesPerEpoch, model, { stage, provider, ranks })
      try {
        if (checkpoint) await ranks.together(() => loadCheckpoint(engine, checkpoint, config))
        state = await train({ ...common, livePage, engine }, state, end)
      } finally {
        await engine.dispose()
      }
    }
    const reason = stopReason(state.history, config)
    if (reason !== undefined) progress.line(reason)
    return { folder, config, state, finished: endOf(state.history, config) !== undefined }
  } catch (cause) {
    if (!(cause instanceof WriteFailure)) throw cause
    throw new Failure(`${cause.message}\n${await checkpointText(folder)}`, { cause })
  } finally {
    progress.stop()
    await events.close()
  }
}

/** Records in the history, which the next checkpoint holds, what computes from here on. */
const withChange = <T>(
  state: TrainingState,
  kind: 'providerChanges' | 'threadsChanges',
  from: T,
  to: T,
): TrainingState => {
  const { history } = state
  const changes = [...(history[kind] ?? []), { step: history.losses.length, from, to }]
  return { ...state, history: { ...history, [kind]: changes } }
}

const providerChangeNote = (from: Provider, to: Provider): string =>
  `provider: ${from} → ${to}. From here on, results differ from those of ${from} by rounding${
    to === 'cpu' ? `; to stay on ${from}, resume with --provider ${from}` : ''
  }.`

/** What a training that cannot write leaves. */
async function checkpointText(folder: RunFolder): Promise<string> {
  const { losses } = await folder.history()
  return losses.length === 0
    ? 'No checkpoint was saved yet.'
    : `The last checkpoint, after ${losses.length} steps, is whole: ${folder.pathOf('last.safetensors')}. Make space, and resume the run.`
}

/** The balanced weights of the classes, those of many classes by their range. */
function classWeightsNote(dataset: Dataset): string {
  const weights = balancedClassWeights(dataset)
  const named = weights.map((weight, i) => `${dataset.classes[i]} ${weight.toPrecision(3)}`)
  const range = [Math.min(...weights), Math.max(...weights)].map((weight) => weight.toPrecision(3))
  return `class weights: ${named.length <= 12 ? named.join(', ') : range.join(' to ')}`
}

/** Resolves relative paths, so that a run can be resumed from any working directory. */
export function withAbsolutePaths(config: Config): Config {
  const { data, optimizer, backbone, from } = config
  return {
    ...config,
    ...(data !== 'shapes' && !archives.has(data) && !isUrl(data) && { data: resolve(data) }),
    ...(isRuleModule(optimizer) && { optimizer: resolve(optimizer) }),
    ...(backbone !== undefined && existsSync(backbone) && { backbone: resolve(backbone) }),
    ...(from !== undefined && { from: resolve(from) }),
  }
}
