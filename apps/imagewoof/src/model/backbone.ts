import { mkdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  backbonePattern,
  type Model,
  readModel,
  replaceHead,
  transformersFiles,
} from '@diffgrad/onnx'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import * as z from 'zod'
import type { Config, TuneStage } from '../config/config.ts'
import { type ChannelStatistics, imageNetStatistics } from '../data/batch.ts'
import { cacheFolder } from '../data/cache.ts'
import { Failure, messageOf } from '../failure.ts'
import { withoutPreprocessing } from './preprocessing.ts'

const channels = z.array(z.number()).length(3)
const preprocessorSchema = z.object({
  do_normalize: z.boolean().default(true),
  image_mean: channels.default([...imageNetStatistics.mean]),
  image_std: channels.default([...imageNetStatistics.deviation]),
})

/**
 * Loads the backbone of a configuration, a transformers.js model, replaces its head, and adapts it to
 * images normalized by ImageNet's statistics.
 *
 * @throws {Failure} If it cannot be read, takes images of another size, or does not end in a linear layer.
 */
export async function loadBackbone(config: Config, classes: number): Promise<Model> {
  const { backbone = '', seed, size } = config
  const folder = await locateBackbone(backbone)
  try {
    const text = await readFile(join(folder, transformersFiles.preprocessor), 'utf8')
    const { do_normalize, image_mean, image_std } = preprocessorSchema.parse(JSON.parse(text))
    const file = readModel(await readFile(join(folder, transformersFiles.model)))
    // The network of an exported run takes images normalized by ImageNet's statistics.
    const network = withoutPreprocessing(file)
    const statistics = network
      ? imageNetStatistics
      : do_normalize
        ? { mean: image_mean, deviation: image_std }
        : { mean: [0, 0, 0], deviation: [1, 1, 1] }
    const model = requireSize(network ?? file, size)
    return replaceHead(renormalize(model, imageNetStatistics, statistics), classes, seed)
  } catch (cause) {
    throw new Failure(`backbone ${backbone}: cannot be used: ${messageOf(cause)}`, { cause })
  }
}

/**
 * Checks the backbone of a configuration, if it has one, before its data is read.
 *
 * @throws {Failure} If it cannot be used.
 */
export async function checkBackbone(config: Config): Promise<void> {
  if (config.backbone !== undefined) await loadBackbone(config, 2)
}

/** @throws {Failure} If the model's input has another fixed size. */
export function requireSize(model: Model, size: number): Model {
  const [, , ...edges] = model.inputs[0].shape ?? []
  const other = edges.find((edge) => typeof edge === 'number' && edge !== size)
  if (other === undefined) return model
  throw new Failure(`--size must be ${other}, the size of the model's input, but is ${size}`)
}

/**
 * Patterns of the parameters that are not trained: everything but the head, or the renormalization of
 * images if the model has one.
 */
export function frozenPatterns(model: Model, trained: TuneStage['parameters']): readonly RegExp[] {
  const pattern = trained === 'head' ? backbonePattern(model) : /^renormalization\//
  const isUsed = [...model.initializers.keys()].some((name) => pattern.test(name))
  return isUsed ? [pattern] : []
}

/** Adds nodes in front of a model that change the normalization of its input from one to another. */
function renormalize(model: Model, from: ChannelStatistics, to: ChannelStatistics): Model {
  const scale = from.deviation.map((deviation, c) => deviation / to.deviation[c])
  const shift = from.mean.map((mean, c) => (mean - to.mean[c]) / to.deviation[c])
  if (scale.every((s) => Math.abs(s - 1) < 1e-6) && shift.every((s) => Math.abs(s) < 1e-6))
    return model
  const [{ name: input }] = model.inputs
  const constant = (values: readonly number[]) =>
    // Float initializers are parameters by default; `frozenPatterns` freezes these by name.
    ({ type: 'float32', shape: [3, 1, 1], data: Float32Array.from(values) }) as const
  const node = (operator: string, inputs: readonly string[], output: string) => ({
    operator,
    domain: '',
    name: output,
    inputs,
    outputs: [output],
    attributes: new Map(),
  })
  const [scaled, shifted] = ['renormalization/scaled', 'renormalization/shifted']
  return {
    ...model,
    initializers: new Map(model.initializers)
      .set('renormalization/scale', constant(scale))
      .set('renormalization/shift', constant(shift)),
    nodes: [
      node('Mul', [input, 'renormalization/scale'], scaled),
      node('Add', [scaled, 'renormalization/shift'], shifted),
      ...model.nodes.map((other) => ({
        ...other,
        inputs: other.inputs.map((name) => (name === input ? shifted : name)),
      })),
    ],
  }
}

/** The files of a transformers.js model that are needed. */
const backboneFiles = [
  transformersFiles.config,
  transformersFiles.preprocessor,
  transformersFiles.model,
] as const

/**
 * The folder of a backbone. A model of the Hugging Face hub is downloaded the first time, from
 * HF_ENDPOINT if that is set.
 *
 * @throws {Failure} If the source is neither a folder nor the name of a hub model.
 */
async function locateBackbone(source: string): Promise<string> {
  const found = await stat(source).catch(() => undefined)
  if (found?.isDirectory()) return source
  if (found || !/^[\w.-]+\/[\w.-]+$/.test(source))
    throw new Failure(`backbone ${source}: must be a folder, or a hub model such as owner/model`)
  const folder = join(cacheFolder(), 'hub', source)
  const address = process.env.HF_ENDPOINT ?? 'https://huggingface.co'
  for (const file of backboneFiles)
    await downloadOnce(`${address}/${source}/resolve/main/${file}`, join(folder, file))
  return folder
}

async function downloadOnce(url: string, path: string): Promise<void> {
  if (await stat(path).catch(() => undefined)) return
  const response = await fetch(url).catch((cause) => {
    throw new Failure(`${url}: cannot be downloaded: ${messageOf(cause.cause ?? cause)}`, { cause })
  })
  if (!response.ok) throw new Failure(`${url}: cannot be downloaded: ${response.status}`)
  const bytes = new Uint8Array(await response.arrayBuffer())
  await mkdir(dirname(path), { recursive: true })
  await replaceFile(path, bytes)
}
