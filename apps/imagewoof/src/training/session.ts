import type { Config } from '../config/config.ts'
import type { Loader } from '../data/batch.ts'
import type { Dataset } from '../data/dataset.ts'
import type { Engine } from '../engine/engine.ts'
import { engines } from '../engine/engines.ts'
import { Failure } from '../failure.ts'
import { type Circumstances, networkOf, recipeOf } from '../recipe/recipe.ts'
import { openDataset, openLoader } from './pictures.ts'

/** Data and a network on an engine, as a configuration wants them. */
export interface Session {
  readonly config: Config
  readonly dataset: Dataset
  readonly loader: Loader
  readonly engine: Engine
  close(): Promise<void>
}

/**
 * Opens the data of a configuration.
 *
 * @throws {Failure} If it does not fit the configuration.
 */
export async function openData(config: Config): Promise<Pick<Session, 'dataset' | 'loader'>> {
  const dataset = await openDataset(config)
  const count = dataset.train.labels.length
  if (config.batch > count)
    throw new Failure(
      `--batch must be at most ${count}, the number of training pictures, but is ${config.batch}`,
    )
  return { dataset, loader: await openLoader(dataset, config) }
}

/**
 * Opens the data of a configuration, and puts its network on its engine.
 *
 * @throws {Failure} If the data does not fit the configuration.
 */
export async function openSession(config: Config): Promise<Session> {
  const { dataset, loader } = await openData(config)
  try {
    const { batchesPerEpoch } = loader
    const engine = await openEngine(config, { classes: dataset.classes.length, batchesPerEpoch })
    const close = async (): Promise<void> => {
      await engine.dispose()
      await loader.dispose()
    }
    return { config, dataset, loader, engine, close }
  } catch (error) {
    await loader.dispose()
    throw error
  }
}

/** Puts the network of a configuration on its engine. */
export function openEngine(config: Config, circumstances: Circumstances): Promise<Engine> {
  const model = networkOf(config, circumstances.classes)
  return engines[config.engine](recipeOf(config, circumstances, { model }))
}
