import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { imageNet } from '../data/image-net.ts'
import { Failure, messageOf } from '../failure.ts'

/** A trained network, and what its pictures and its outputs mean. */
export interface Exported {
  /** From `pixel_values` to `logits`, as an .onnx file. */
  readonly model: Uint8Array
  readonly classes: readonly string[]
  /** Edge of its pictures. */
  readonly size: number
}

const [config, preprocessor] = ['config.json', 'preprocessor_config.json']
const model = join('onnx', 'model.onnx')
const written = [config, preprocessor, dirname(model), model]

/**
 * Writes a folder that transformers.js loads: `pipeline('image-classification', folder)`. An export
 * that is there is replaced; at every moment a whole one is there or none.
 *
 * @throws {Failure} If it cannot be written, or holds anything else.
 */
export async function exportFolder(path: string, exported: Exported): Promise<void> {
  const beside = `${path}.${process.pid}.new`
  try {
    await rm(beside, { recursive: true, force: true })
    await mkdir(join(beside, 'onnx'), { recursive: true })
    await writeFile(join(beside, config), json(configOf(exported)))
    await writeFile(join(beside, preprocessor), json(preprocessorOf(exported)))
    await writeFile(join(beside, model), exported.model)
    const other = (await contentOf(path)).find((name) => !written.includes(name))
    if (other !== undefined) throw new Error(`it holds ${other}, which is no part of an export`)
    await rm(path, { recursive: true, force: true })
    await mkdir(dirname(path), { recursive: true })
    await rename(beside, path)
  } catch (cause) {
    await rm(beside, { recursive: true, force: true }).catch(() => undefined)
    throw new Failure(`export folder ${path}: cannot be written: ${messageOf(cause)}`, { cause })
  }
}

/** What lies in a folder, and in those within; nothing, if it is not there. */
const contentOf = (path: string): Promise<readonly string[]> =>
  readdir(path, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })

const json = (value: object): string => `${JSON.stringify(value, undefined, 2)}\n`

/** An XResNet takes and gives what a ResNet does; transformers.js asks no more of it. */
const configOf = ({ classes }: Exported): object => ({
  model_type: 'resnet',
  architectures: ['ResNetForImageClassification'],
  num_labels: classes.length,
  id2label: Object.fromEntries(classes.map((name, i) => [i, name])),
  label2id: Object.fromEntries(classes.map((name, i) => [name, i])),
  // In browsers it would look for quantized weights otherwise.
  'transformers.js_config': { dtype: 'fp32' },
})

/** The way from a photograph to a validation picture, as `prepare` goes it. */
const preprocessorOf = ({ size }: Exported): object => ({
  image_processor_type: 'ViTImageProcessor',
  do_resize: true,
  size: { shortest_edge: Math.floor(size / 0.875) },
  // Lanczos.
  resample: 1,
  do_center_crop: true,
  crop_size: { width: size, height: size },
  do_rescale: true,
  rescale_factor: 1 / 255,
  do_normalize: true,
  image_mean: imageNet.mean,
  image_std: imageNet.deviation,
})
