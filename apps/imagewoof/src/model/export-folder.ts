import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { removeLeftovers, temporaryPath } from '@diffgrad/onnxruntime/node'
import { imageNetStatistics } from '../data/batch.ts'
import { Failure, messageOf } from '../failure.ts'

/** A trained classifier. */
export interface ExportedModel {
  /** From `pixel_values` to `logits`, as an .onnx file. */
  readonly model: Uint8Array
  readonly classes: readonly string[]
  /** Edge of the input images, in pixels. */
  readonly size: number
}

const [configFile, preprocessorFile] = ['config.json', 'preprocessor_config.json']
const modelFile = join('onnx', 'model.onnx')
const exportedFiles = [configFile, preprocessorFile, dirname(modelFile), modelFile]

/**
 * Writes a folder that transformers.js loads: `pipeline('image-classification', folder)`. An existing
 * export is replaced by a rename, so that the folder is complete whenever it exists.
 *
 * @throws {Failure} If it cannot be written, or the folder holds any other file.
 */
export async function writeExportFolder(path: string, exported: ExportedModel): Promise<void> {
  const temporary = temporaryPath(path)
  try {
    await removeLeftovers(dirname(path))
    await mkdir(join(temporary, 'onnx'), { recursive: true })
    await writeFile(join(temporary, configFile), json(configOf(exported)))
    await writeFile(join(temporary, preprocessorFile), json(preprocessorOf(exported)))
    await writeFile(join(temporary, modelFile), exported.model)
    const other = (await filesIn(path)).find((name) => !exportedFiles.includes(name))
    if (other !== undefined) throw new Error(`it holds ${other}, which is not part of an export`)
    await rm(path, { recursive: true, force: true })
    await mkdir(dirname(path), { recursive: true })
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined)
    throw new Failure(`export folder ${path}: cannot be written: ${messageOf(cause)}`, { cause })
  }
}

/** All files and folders in a folder, recursively; none if it does not exist. */
const filesIn = (path: string): Promise<readonly string[]> =>
  readdir(path, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })

const json = (value: object): string => `${JSON.stringify(value, undefined, 2)}\n`

/** transformers.js reads only inputs and outputs, in which an XResNet equals a ResNet. */
const configOf = ({ classes }: ExportedModel): object => ({
  model_type: 'resnet',
  architectures: ['ResNetForImageClassification'],
  num_labels: classes.length,
  id2label: Object.fromEntries(classes.map((name, i) => [i, name])),
  label2id: Object.fromEntries(classes.map((name, i) => [name, i])),
  // In browsers, transformers.js looks for quantized weights by default.
  'transformers.js_config': { dtype: 'fp32' },
})

/** The preprocessing that `prepare` applies to validation images. */
const preprocessorOf = ({ size }: ExportedModel): object => ({
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
  image_mean: imageNetStatistics.mean,
  image_std: imageNetStatistics.deviation,
})
