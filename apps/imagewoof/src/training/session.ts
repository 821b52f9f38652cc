import type { Config } from '../config/config.ts'
import type { Engine } from '../engine/engine.ts'
import { engines } from '../engine/engines.ts'
import { type Circumstances, networkOf, recipeOf } from '../recipe/recipe.ts'
import { openPictures, type Pictures } from './pictures.ts'
import type { Surface } from './surface.ts'

/** Data and a network on an engine, as a configuration wants them. */
export interface Session extends Pictures {
  readonly config: Config
  readonly engine: Engine
  close(): Promise<void>
}

/**
 * Opens the data of a configuration, and puts its network on its engine.
 *
 * @throws {Failure} If the data does not fit the configuration.
 */
export async function openSession(config: Config, surface: Surface): Promise<Session> {
  const { dataset, loader } = await openPictures(config, surface)
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
