import type { Config } from '../config/config.ts'
import type { Loader } from '../data/batch.ts'
import type { Dataset } from '../data/dataset.ts'
import { createLoader } from '../data/loader/loader.ts'
import { openDataset } from '../data/open.ts'
import { progressView } from '../data/progress-view.ts'
import { Failure } from '../failure.ts'
import { whole } from '../report/numbers.ts'
import type { Surface } from './surface.ts'

/** A data set, and what makes batches of it. */
export interface Pictures {
  readonly dataset: Dataset
  readonly loader: Loader
}

/**
 * Opens the data of a configuration, which may take its decoding.
 *
 * @throws {Failure} If it is not what it must be.
 */
export async function openData({ data, size }: Config, surface: Surface): Promise<Dataset> {
  const { screen, signal } = surface
  const view = progressView(screen)
  const options = { data, size, onProgress: view.onProgress, signal }
  const { dataset, skipped } = await openDataset(options).finally(view.stop)
  if (skipped.length > 0)
    screen.write(`${skipped.length} files are no pictures and were skipped; prepare lists them\n`)
  const { name, classes, train, validation } = dataset
  screen.write(
    `${name}: ${whole(train.labels.length)} training and ${whole(validation.labels.length)} validation pictures of ${classes.length} classes\n`,
  )
  return dataset
}

/**
 * Puts a loader to a data set.
 *
 * @throws {Failure} If it does not fit the configuration.
 */
export function picturesOf(dataset: Dataset, config: Config): Pictures {
  const { batch, epochs, accumulate } = config
  const count = dataset.train.labels.length
  if (batch > count)
    throw new Failure(
      `--batch must be at most ${count}, the number of training pictures, but is ${batch}`,
    )
  const batches = epochs * Math.floor(count / batch)
  if (accumulate > batches)
    throw new Failure(
      `--accumulate must be at most ${batches}, the number of batches, but is ${accumulate}`,
    )
  return { dataset, loader: createLoader(dataset, config) }
}

/**
 * Opens the data of a configuration, with its loader.
 *
 * @throws {Failure} If it is not what it must be, or does not fit the configuration.
 */
export const openPictures = async (config: Config, surface: Surface): Promise<Pictures> =>
  picturesOf(await openData(config, surface), config)
