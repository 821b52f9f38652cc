import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Model, readModel } from '@diffgrad/onnx'
import { z } from 'zod'
import type { Config } from '../config/config.ts'
import { imageNet } from '../data/image-net.ts'
import { Failure, messageOf } from '../failure.ts'
import { locateBackbone } from './locate.ts'
import { headNames, withNewHead } from './new-head.ts'
import { renormalized } from './renormalized.ts'

/** What is trained, and what of it is not. */
export interface Network {
  readonly model: Model
  readonly frozen: readonly RegExp[]
}

const colours = z.array(z.number()).length(3)
const preprocessor = z.object({
  do_normalize: z.boolean().default(true),
  image_mean: colours.default([...imageNet.mean]),
  image_std: colours.default([...imageNet.deviation]),
})

/**
 * A ready network in the form of transformers.js, with a new head, for pictures normalized by
 * ImageNet's statistics.
 *
 * @throws {Failure} If it cannot be read, or does not end in a linear layer.
 */
export async function backboneOf(config: Config, classes: number): Promise<Network> {
  const { backbone = '', seed, size } = config
  const folder = await locateBackbone(backbone)
  try {
    const text = await readFile(join(folder, 'preprocessor_config.json'), 'utf8')
    const { do_normalize, image_mean, image_std } = preprocessor.parse(JSON.parse(text))
    const read = fitting(await readFile(join(folder, 'onnx', 'model.onnx')), size)
    const own = do_normalize
      ? { mean: image_mean, deviation: image_std }
      : { mean: [0, 0, 0], deviation: [1, 1, 1] }
    return kept(withNewHead(renormalized(read, imageNet, own), classes, seed), config)
  } catch (cause) {
    throw new Failure(`backbone ${backbone}: cannot be used: ${messageOf(cause)}`, { cause })
  }
}

/** @throws {Failure} If the model takes pictures of another size only. */
function fitting(file: Uint8Array, size: number): Model {
  const model = readModel(file)
  const [, , ...edges] = model.inputs[0].shape ?? []
  const other = edges.find((edge) => typeof edge === 'number' && edge !== size)
  if (other === undefined) return model
  throw new Failure(`--size must be ${other}, as it takes no other pictures, but is ${size}`)
}

/** A backbone that has its head, and what of it stays as it is. */
export function kept(model: Model, { tune }: Config): Network {
  const head = headNames(model).map((name) => name.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'))
  const frozen = tune === 'head' ? new RegExp(`^(?!(?:${head.join('|')})$)`) : /^renormalization\//
  return { model, frozen: [frozen] }
}
