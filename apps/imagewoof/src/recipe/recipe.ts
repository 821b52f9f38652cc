import { buildModel, type Model, mish, relu } from '@diffgrad/onnx'
import type { Config } from '../config/config.ts'
import type { EngineOptions } from '../engine/engine.ts'
import { architectures } from './architectures.ts'
import { optimizerOf } from './optimizer.ts'

/** What is known before a training begins. */
export interface Circumstances {
  readonly classes: number
  readonly batchesPerEpoch: number
}

/** How many times the weights will move. */
export const updatesOf = (
  { epochs, accumulate }: Config,
  { batchesPerEpoch }: Pick<Circumstances, 'batchesPerEpoch'>,
): number => Math.max(Math.floor((epochs * batchesPerEpoch) / accumulate), 1)

/** The network of a configuration, with parameters drawn from its seed. */
export function networkOf(config: Config, classes: number): Model {
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

/** What an engine is to train. */
export function recipeOf(
  config: Config,
  circumstances: Circumstances,
  { model, frozen }: Pick<EngineOptions, 'model' | 'frozen'>,
): EngineOptions {
  const { batch, size, threads } = config
  const optimizer = optimizerOf(config, updatesOf(config, circumstances))
  return { model, frozen, optimizer, batch, size, threads }
}
