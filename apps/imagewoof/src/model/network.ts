import { readFile } from 'node:fs/promises'
import { buildModel, type Model, maxBlurPool, mish, readModel, relu } from '@diffgrad/onnx'
import { architectures } from '../config/choices.ts'
import type { Config } from '../config/config.ts'
import { loadBackbone, requireSize } from './backbone.ts'

/** Provides the model of a configuration, for so many classes. */
export type ModelSource = (config: Config, classes: number) => Promise<Model>

/** The initial model of a new run: initialized from the seed, or a backbone with a new head. */
export const newModel: ModelSource = async (config, classes) =>
  config.backbone === undefined ? buildNetwork(config, classes) : loadBackbone(config, classes)

/**
 * The initial model of an existing run, at the image size of the configuration.
 *
 * @param file - in the run folder: the initial model of a run with a backbone or with `--from`.
 */
export const savedModel =
  (file: string): ModelSource =>
  async (config, classes) => {
    if (config.backbone !== undefined)
      return requireSize(readModel(await readFile(file)), config.size)
    const network = buildNetwork(config, classes)
    if (config.from === undefined) return network
    const { initializers } = readModel(await readFile(file))
    return { ...network, initializers: new Map([...network.initializers, ...initializers]) }
  }

/** Builds the network of a configuration, with parameters initialized from its seed. */
function buildNetwork(config: Config, classes: number): Model {
  const { architecture, activation, selfAttention, spectralNorm, stem, pool } = config
  const { width, size, seed } = config
  const network = architectures[architecture](classes, {
    width,
    stem: [width / 2, width / 2, width],
    activation: activation === 'mish' ? mish : relu,
    selfAttention,
    spectralNorm,
    smallImages: stem === 'small',
    ...(pool === 'max-blur' && { pool: maxBlurPool() }),
  })
  const shape = ['batch', 3, size, size]
  return buildModel(network, { shape, seed, input: 'pixel_values', output: 'logits' })
}
