import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { readModel, transformersFiles, withLabels, writeModel } from '@diffgrad/onnx'
import { removeLeftovers, temporaryPath } from '@diffgrad/onnxruntime/node'
import { imageNetStatistics } from '../data/batch.ts'
import { longestSide } from '../data/loader/resample.ts'
import { Failure, messageOf } from '../failure.ts'
import { withPreprocessing } from '../model/preprocessing.ts'
import {
  describeCrop,
  describeModel,
  describeResult,
  modelCard,
  type TrainedRun,
  titleOf,
} from './model-card.ts'
import { classifierPage } from './page.ts'

/** A trained classifier. */
export interface ExportedModel extends TrainedRun {
  /** From normalized images to logits, as an .onnx file. */
  readonly network: Uint8Array
}

const { config: configFile, preprocessor: preprocessorFile } = transformersFiles
const modelFile = normalize(transformersFiles.model)
const [cardFile, pageFile] = ['README.md', 'index.html']
const exportedFiles = [
  ...[configFile, preprocessorFile, cardFile, pageFile],
  ...[dirname(modelFile), modelFile],
]

/**
 * Writes a folder that transformers.js loads, `pipeline('image-classification', folder)`, with a model
 * card and a page that classifies pictures. An existing export is replaced by a rename, so that the folder
 * is complete whenever it exists.
 *
 * @throws {Failure} If it cannot be written, or the folder holds any other file.
 */
export async function writeExportFolder(path: string, exported: ExportedModel): Promise<void> {
  const temporary = temporaryPath(path)
  const { classes } = exported.environment.data
  const model = exportedModel(exported)
  const [title, summary] = [
    titleOf(exported),
    `${describeModel(exported)}; ${describeResult(exported)}.`,
  ]
  try {
    await removeLeftovers(dirname(path))
    await mkdir(join(temporary, dirname(modelFile)), { recursive: true })
    await writeFile(join(temporary, configFile), json(configOf(classes)))
    await writeFile(join(temporary, preprocessorFile), json(preprocessor))
    await writeFile(join(temporary, modelFile), model)
    await writeFile(join(temporary, cardFile), modelCard(exported))
    const page = await classifierPage({
      ...{ title, summary, model, classes },
      crop: describeCrop(exported.config),
    })
    await writeFile(join(temporary, pageFile), page)
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
const configOf = (classes: readonly string[]): object =>
  withLabels({ model_type: 'resnet', architectures: ['ResNetForImageClassification'] }, classes)

/**
 * Images are passed to the model as they are, since it holds the preprocessing: in browsers transformers.js
 * resizes by other filters than in Node. Large images are reduced, to bound the memory.
 */
const preprocessor = {
  image_processor_type: 'ViTImageProcessor',
  do_convert_rgb: false,
  do_resize: false,
  do_thumbnail: true,
  size: { width: longestSide, height: longestSide },
  // Lanczos, in Node.
  resample: 1,
  do_rescale: false,
  do_normalize: false,
}

/** The model with preprocessing and metadata, as an .onnx file. */
function exportedModel({ network, config, environment, ...run }: ExportedModel): Uint8Array {
  const { mean, deviation } = imageNetStatistics
  const model = withPreprocessing(readModel(network), config, imageNetStatistics)
  const metadata = {
    classes: JSON.stringify(environment.data.classes),
    size: String(config.size),
    mean: JSON.stringify(mean),
    std: JSON.stringify(deviation),
    preprocessing: `in the model: values from 0 to 255, transparent on white, central ${config.validationCrop} of the shorter side, Lanczos, mean and std of values from 0 to 1`,
    description: describeModel({ config, environment, ...run }),
    result: describeResult({ config, environment, ...run }),
  }
  return writeModel({ ...model, metadata: new Map(Object.entries(metadata)) })
}
