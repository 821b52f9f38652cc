import { readFile } from 'node:fs/promises'
import { readModel } from '@diffgrad/onnx'
import { backboneOf, kept, type Network } from '../backbone/backbone.ts'
import type { Config } from '../config/config.ts'
import type { Dataset } from '../data/dataset.ts'
import type { TrainingEngine } from '../engine/engine.ts'
import { engines } from '../engine/engines.ts'
import { type Circumstances, networkOf, recipeOf } from '../recipe/recipe.ts'
import type { RunFolder } from '../run/run-folder.ts'
import { type Pictures, picturesOf } from './pictures.ts'

/** Data and a network on an engine, as a configuration wants them. */
export interface Session extends Pictures {
  readonly config: Config
  readonly network: Network
  readonly engine: TrainingEngine
  close(): Promise<void>
}

/**
 * Puts the network of a configuration on its engine, and a loader to its data.
 *
 * @throws {Failure} If the data does not fit the configuration.
 */
export async function openSession(
  config: Config,
  dataset: Dataset,
  findNetwork: typeof newNetwork = newNetwork,
): Promise<Session> {
  const { loader } = picturesOf(dataset, config)
  try {
    const { batchesPerEpoch } = loader
    const circumstances = { classes: dataset.classes.length, batchesPerEpoch }
    const network = await findNetwork(config, circumstances.classes)
    const engine = await openEngine(config, circumstances, network)
    const close = async (): Promise<void> => {
      await engine.dispose()
      await loader.dispose()
    }
    return { config, dataset, loader, network, engine, close }
  } catch (error) {
    await loader.dispose()
    throw error
  }
}

/** Puts a network on the engine of a configuration. */
export const openEngine = (
  config: Config,
  circumstances: Circumstances,
  network: Network,
): Promise<TrainingEngine> => engines[config.engine](recipeOf(config, circumstances, network))

/** The network of a new run: drawn from the seed, or a backbone with a new head. */
export const newNetwork = async (config: Config, classes: number): Promise<Network> =>
  config.backbone === undefined
    ? { model: networkOf(config, classes), frozen: [] }
    : backboneOf(config, classes)

/** The network of a run that has begun. Its backbone is in its folder. */
export const networkIn =
  (folder: RunFolder) =>
  async (config: Config, classes: number): Promise<Network> =>
    config.backbone === undefined
      ? { model: networkOf(config, classes), frozen: [] }
      : kept(readModel(await readFile(folder.pathOf('backbone.onnx'))), config)
