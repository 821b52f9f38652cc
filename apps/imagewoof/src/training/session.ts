import type { Model } from '@diffgrad/onnx'
import { type Config, dataOptions } from '../config/config.ts'
import type { Loader } from '../data/batch.ts'
import type { Dataset } from '../data/dataset.ts'
import { createLoader } from '../data/loader/loader.ts'
import { openDataset } from '../data/open.ts'
import { countReasons } from '../data/tree.ts'
import { Failure } from '../failure.ts'
import { formatCount, formatPercent } from '../format.ts'
import type { ModelSource } from '../model/network.ts'
import type { RankGroup } from '../rank-group.ts'
import type { CommandContext } from '../terminal/context.ts'
import { showDataProgress } from '../terminal/data-progress.ts'

/**
 * Opens the data set of a configuration, where it lies on this machine, decodes it if necessary, and prints
 * its size.
 *
 * @throws {Failure} If the source does not exist or is not a data set, or is too small for the batch size
 * or for gradient accumulation; the latter before images are read.
 */
export async function openData(config: Config, context: CommandContext): Promise<Dataset> {
  const { screen, signal, dataPath = config.data } = context
  const view = showDataProgress(screen)
  const onListed = (count: number): void => requireBatches(config, count)
  const source = dataOptions({ ...config, data: dataPath })
  const options = { ...source, onListed, onProgress: view.onProgress, signal }
  const { dataset, skipped, drawn } = await openDataset(options).finally(view.stop)
  if (skipped.length > 0)
    screen.write(
      `${formatCount(skipped.length)} skipped (${countReasons(skipped)}); \`prepare\` lists them\n`,
    )
  const { name, classes, train, warnings } = dataset
  const note = drawn === undefined ? '' : `; ${formatPercent(drawn, 0)} were drawn for validation`
  screen.write(
    `${name}: ${formatCount(train.labels.length)} training and ${formatCount(dataset.validation.labels.length)} validation images of ${classes.length} classes${note}\n`,
  )
  for (const warning of warnings) screen.write(`warning: ${warning}\n`)
  return dataset
}

/**
 * @param count - of the training images.
 * @throws {Failure} If they are too few for the batch size or for gradient accumulation.
 */
export function requireBatches({ batch, epochs, accumulate }: Config, count: number): void {
  if (batch > count)
    throw new Failure(
      `--batch must be at most ${count}, the number of training images, but is ${batch}`,
    )
  const batches = epochs * Math.floor(count / batch)
  if (accumulate > batches)
    throw new Failure(
      `--accumulate must be at most ${batches}, the number of batches, but is ${accumulate}`,
    )
}

/**
 * @param count - of the training images.
 * @throws {Failure} If several ranks would end an epoch within an update, between whose batches none can save.
 */
function requireWholeUpdates({ batch, accumulate }: Config, count: number, ranks: number): void {
  const batchesOf = (batch: number): number => Math.floor(count / batch)
  if (ranks === 1 || batchesOf(batch) % accumulate === 0) return
  let fitting = batch
  while (fitting > 1 && batchesOf(fitting) % accumulate !== 0) fitting--
  throw new Failure(
    `with ${ranks} processes, an epoch must be whole updates of ${accumulate} batches, but has ${batchesOf(batch)} batches; --batch ${fitting} makes ${batchesOf(fitting)}`,
  )
}

/**
 * Starts the loader of a configuration.
 *
 * @throws {Failure} If the data set is too small for the batch size or for gradient accumulation.
 */
export function openLoader(dataset: Dataset, config: Config): Loader {
  requireBatches(config, dataset.train.labels.length)
  return createLoader(dataset, config)
}

/** A model with its initial weights, and a loader of its data. */
export interface Session {
  readonly config: Config
  readonly dataset: Dataset
  readonly loader: Loader
  readonly model: Model
  close(): Promise<void>
}

/**
 * Provides the model of a configuration, and starts a loader of its data.
 *
 * @param dataset - of the configuration.
 * @throws {Failure} If the data set does not fit the configuration.
 */
export async function openSession(
  config: Config,
  dataset: Dataset,
  modelSource: ModelSource,
  { size }: Pick<RankGroup, 'size'> = { size: 1 },
): Promise<Session> {
  requireWholeUpdates(config, dataset.train.labels.length, size)
  const loader = openLoader(dataset, config)
  try {
    const model = await modelSource(config, dataset.classes.length)
    return { config, dataset, loader, model, close: () => loader.dispose() }
  } catch (error) {
    await loader.dispose()
    throw error
  }
}
