import { readFile } from 'node:fs/promises'
import { buildModel, type Model, mish, readModel, relu } from '@diffgrad/onnx'
import { architectures } from '../config/choices.ts'
import type { Config } from '../config/config.ts'
import { loadBackbone, type TrainableModel, trainableBackbone } from './backbone.ts'

/** Provides the model of a configuration, for so many classes. */
export type ModelSource = (config: Config, classes: number) => Promise<TrainableModel>

/** The model of a new run: initialized from the seed, or a backbone with a new head. */
export const newModel: ModelSource = async (config, classes) =>
  config.backbone === undefined
    ? { model: buildNetwork(config, classes), frozen: [] }
    : loadBackbone(config, classes)

/** The model of an existing run, whose backbone, if it has one, is saved in the run folder. */
export const savedModel =
  (backboneFile: string): ModelSource =>
  async (config, classes) =>
    config.backbone === undefined
      ? { model: buildNetwork(config, classes), frozen: [] }
      : trainableBackbone(readModel(await readFile(backboneFile)), config)

/** Builds the network of a configuration, with parameters initialized from its seed. */
function buildNetwork(config: Config, classes: number): Model {
  const { architecture, activation, selfAttention, width, size, seed } = config
  const network = architectures[architecture](classes, {
    width,
    stem: [width / 2, width / 2, width],
    activation: activation === 'mish' ? mish : relu,
    selfAttention,
  })
  const shape = ['batch', 3, size, size]
  return buildModel(network, { shape, seed, input: 'pixel_values', output: 'logits' })
}
