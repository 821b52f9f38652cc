import { join } from 'node:path'
import { type Model, readModel, replaceHead } from '@diffgrad/onnx'
import { type Config, optionName, resolveConfig } from '../config/config.ts'
import { ruleOf } from '../config/rule.ts'
import type { TrainingEngine } from '../engine/engine.ts'
import { openEngine } from '../engine/engine-thread.ts'
import { writeExportFolder } from '../export/folder.ts'
import { Failure } from '../failure.ts'
import { newModel, savedModel } from '../model/network.ts'
import type { Provider } from '../provider.ts'
import { dataDifference, requireSameClasses } from '../run/environment.ts'
import { type CheckpointKind, RunFolder } from '../run/run-folder.ts'
import type { CommandContext } from '../terminal/context.ts'
import { evaluatedWeights, loadCheckpoint, stateOf } from './checkpoint.ts'
import { openData, openSession, type Session } from './session.ts'

/** A run's session, with an engine that has the weights of a checkpoint. */
export interface LoadedRun extends Session {
  readonly engine: TrainingEngine
}

/**
 * Loads a checkpoint of a run and opens the run's data. Other images of the same classes are accepted
 * with a warning.
 *
 * @param dataPath - the new path of the data, if it was moved.
 * @throws {Failure} If the path is not a run folder, the checkpoint does not exist, or the data has other
 * classes.
 */
export async function loadRun(
  path: string,
  kind: CheckpointKind,
  context: CommandContext,
  dataPath?: string,
): Promise<LoadedRun> {
  const folder = await RunFolder.open(path)
  const checkpoint = await readCheckpoint(folder, kind)
  const saved = await folder.config()
  const environment = await folder.environment()
  const config = { ...saved, data: dataPath ?? saved.data }
  const dataset = await openData(config, context)
  requireSameClasses(dataset, environment, path)
  const difference = dataDifference(dataset, environment)
  if (difference !== undefined) context.screen.write(`the data has changed: ${difference}\n`)
  const session = await openSession(config, dataset, savedModel(folder.initialModelFile))
  try {
    const { batchesPerEpoch } = session.loader
    const { provider } = context
    const engine = await openLoaded(config, batchesPerEpoch, session.model, checkpoint, provider)
    const close = async (): Promise<void> => {
      await engine.dispose()
      await session.close()
    }
    return { ...session, engine, close }
  } catch (error) {
    await session.close()
    throw error
  }
}

/** The default export folder of a checkpoint. */
export const exportPath = (run: string, kind: CheckpointKind): string =>
  join(run, kind === 'best' ? 'export' : `export-${kind}`)

/**
 * Exports a checkpoint of a run as a transformers.js folder. The run's data is not needed. By default the
 * folder is in the run folder, which must then not be owned by another process.
 *
 * @returns the path of the folder.
 * @throws {Failure} If the path is not a run folder, the checkpoint does not exist, or the folder cannot
 * be written.
 */
export async function exportRun(run: string, kind: CheckpointKind, path?: string): Promise<string> {
  const folder = await RunFolder.open(run)
  return path === undefined
    ? folder.whileOwned(() => exportTo(exportPath(run, kind), folder, kind))
    : exportTo(path, folder, kind)
}

async function exportTo(path: string, folder: RunFolder, kind: CheckpointKind): Promise<string> {
  const checkpoint = await readCheckpoint(folder, kind)
  const config = await folder.config()
  const environment = await folder.environment()
  const { classes, train } = environment.data
  const model = await savedModel(folder.initialModelFile)(config, classes.length)
  const network = await exportNetwork(config, train, model, checkpoint)
  const result =
    kind === 'best' ? await folder.evaluation() : (await folder.history()).epochs.at(-1)
  await writeExportFolder(path, { network, config, environment, result })
  return path
}

/** Settings that select the network, which a run keeps that starts from another run. */
const networkSettings = [
  'architecture',
  'activation',
  'selfAttention',
  'spectralNorm',
  'stem',
  'pool',
  'width',
  'backbone',
] as const satisfies readonly (keyof Config)[]

/**
 * Completes settings with `--from` by those of that run: its network, which cannot be changed, and its
 * data and image size, unless others are given.
 *
 * @throws {Failure} If the path is not a run folder, or a setting of the network is given.
 */
export async function resolveSettings(settings: Partial<Config>): Promise<Config> {
  const { from } = settings
  if (from === undefined) return resolveConfig(settings)
  const saved = await (await RunFolder.open(from)).config()
  const given = networkSettings.find((key) => settings[key] !== undefined)
  if (given !== undefined)
    throw new Failure(`--from excludes ${optionName(given)}: the network is that of ${from}`)
  const inherited = [...networkSettings, 'data' as const, 'size' as const].flatMap((key) =>
    saved[key] === undefined ? [] : [[key, saved[key]] as const],
  )
  return resolveConfig({ ...Object.fromEntries(inherited), ...settings })
}

/**
 * The initial model of a new run. With `--from` it has the weights of a checkpoint of that run, the
 * averaged ones if it has an EMA, and a new head if the data has other classes.
 *
 * @throws {Failure} If the model of the configuration cannot be loaded, or the run has no such checkpoint.
 */
export async function initialModel(
  config: Config,
  classes: readonly string[],
  { screen }: Pick<CommandContext, 'screen'>,
): Promise<Model> {
  const { from, checkpoint: kind = 'best', size, seed } = config
  if (from === undefined) return newModel(config, classes.length)
  const folder = await RunFolder.open(from)
  const checkpoint = await readCheckpoint(folder, kind)
  const { data } = await folder.environment()
  const settings = { ...(await folder.config()), size }
  const network = await savedModel(folder.initialModelFile)(settings, data.classes.length)
  const weights = ruleOf(settings).evaluationPoint
    ? readModel(await exportNetwork(settings, data.train, network, checkpoint)).initializers
    : Object.entries(evaluatedWeights(checkpoint)).map(
        ([name, tensor]) => [name, { type: 'float32', ...tensor }] as const,
      )
  const model = { ...network, initializers: new Map([...network.initializers, ...weights]) }
  if (JSON.stringify(data.classes) === JSON.stringify(classes)) return model
  screen.write(
    `the network of ${from} gets a new head: the classes are ${classes.join(', ')}, not ${data.classes.join(', ')}\n`,
  )
  return replaceHead(model, classes.length, seed)
}

/**
 * The trained model of a checkpoint as an .onnx file.
 *
 * @param images - the number of training images.
 */
async function exportNetwork(
  config: Config,
  images: number,
  model: Model,
  checkpoint: Uint8Array,
): Promise<Uint8Array> {
  const batchesPerEpoch = Math.floor(images / config.batch)
  const engine = await openLoaded(config, batchesPerEpoch, model, checkpoint)
  try {
    return await engine.export()
  } finally {
    await engine.dispose()
  }
}

async function readCheckpoint(folder: RunFolder, kind: CheckpointKind): Promise<Uint8Array> {
  const checkpoint = await folder.checkpoint(kind)
  if (checkpoint) {
    const { batch } = stateOf(checkpoint).position
    if (batch > 0 && ruleOf(await folder.config()).evaluationPoint)
      throw new Failure(
        `${folder.path}: the ${kind} checkpoint is within an epoch, before the running statistics of the averaged weights are estimated; resume the run, or use --checkpoint best`,
      )
    return checkpoint
  }
  const reason = kind === 'best' ? 'no epoch is complete' : 'no step was saved'
  throw new Failure(`${folder.path}: has no ${kind} checkpoint yet; ${reason}`)
}

/** Creates an engine with the weights of a checkpoint. */
async function openLoaded(
  config: Config,
  batchesPerEpoch: number,
  model: Model,
  checkpoint: Uint8Array,
  provider?: Provider,
): Promise<TrainingEngine> {
  const engine = await openEngine(config, batchesPerEpoch, model, { provider })
  try {
    await loadCheckpoint(engine, checkpoint, config)
    return engine
  } catch (error) {
    await engine.dispose()
    throw error
  }
}
