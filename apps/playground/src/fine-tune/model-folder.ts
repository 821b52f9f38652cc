import {
  hasHead,
  labelsOf,
  type Model,
  readModel,
  renameValues,
  transformersFiles,
} from '@diffgrad/onnx'
import { listed, type Task } from './examples.ts'
import { nameOf, type PathFile } from './files.ts'

/** The contents of a folder, by paths in it. */
export type Folder = ReadonlyMap<string, Uint8Array<ArrayBuffer>>

/** A model that can be fine-tuned. */
export interface OpenModel {
  readonly name: string
  readonly task: Task
  readonly model: Model
  readonly config: Readonly<Record<string, unknown>>
  /** The names of its classes; none if it has none. */
  readonly labels: readonly string[]
  /** All files beside config.json and the model that an export has as well. */
  readonly others: Folder
  /** What was assumed of the model, because its files do not say. */
  readonly notes: readonly string[]
}

/** Files that are read of a folder: not its readme, and not the weights in other precisions. */
const isKept = (path: string): boolean => /^[^/]+\.(json|txt|model|jinja)$/.test(path)

/** Files that may hold weights of a model beside them. */
const isExternal = (path: string): boolean => !/\.(onnx|json|txt|md|jinja)$/.test(path)

/** Weights that can be trained, the preferred ones first. */
const weightFiles = [
  transformersFiles.model,
  'model.onnx',
  'onnx/model_fp16.onnx',
  'model_fp16.onnx',
] as const

/**
 * Reads a folder of transformers.js, or a single .onnx file of pictures.
 *
 * @throws {Error} If a file is missing or damaged, or the model takes neither pictures nor texts.
 */
export async function openModel(files: readonly PathFile[]): Promise<OpenModel> {
  const root = files
    .map(({ path }) => path)
    .filter((path) => nameOf(path) === transformersFiles.config)
    .toSorted((a, b) => a.length - b.length)[0]
    ?.slice(0, -transformersFiles.config.length)
  const onnx = files.filter(({ path }) => path.endsWith('.onnx'))
  if (root === undefined) {
    if (onnx.length !== 1)
      throw new Error(
        `model: must be a folder with ${transformersFiles.config} and ${transformersFiles.model}, or one .onnx file, but has ${listed(files.map(({ path }) => nameOf(path))) || 'no files'}`,
      )
    return openFile(onnx[0], files)
  }
  const inRoot = new Map(
    files
      .filter(({ path }) => path.startsWith(root))
      .map(({ path, file }) => [path.slice(root.length), file] as const),
  )
  const weights = weightFiles.find((path) => inRoot.has(path))
  if (weights === undefined)
    throw new Error(
      `model: must have ${transformersFiles.model}, but has ${listed(onnx.map(({ path }) => path)) || 'no .onnx file'}; quantized weights cannot be trained`,
    )
  const kept = await contents([...inRoot].filter(([path]) => isKept(path)))
  const config = parseJson(transformersFiles.config, kept)
  const others = new Map([...kept].filter(([path]) => path !== transformersFiles.config))
  const model = await readWeights(weights, inRoot)
  const name = nameOf(root.slice(0, -1)) || 'model'
  const task = taskOf(model, others)
  if (task === 'image' && !others.has(transformersFiles.preprocessor))
    throw new Error(`model: must have ${transformersFiles.preprocessor}, because it sees pictures`)
  return { name, task, model, config, labels: labelsOf(config), others, notes: [] }
}

/** A file without a configuration: of pictures, which transformers.js calls `pixel_values`. */
async function openFile({ path }: PathFile, files: readonly PathFile[]): Promise<OpenModel> {
  const beside = new Map(files.map((file) => [nameOf(file.path), file.file]))
  const file = await readWeights(nameOf(path), beside)
  const task = taskOf(file, new Map())
  const [input] = file.inputs
  const [, channels, ...edges] = input.shape ?? []
  if (typeof channels === 'number' && channels !== 3)
    throw new Error(
      `${nameOf(path)}: must take pictures of 3 channels, but takes ${channels}; drop a folder with ${transformersFiles.config} and ${transformersFiles.preprocessor} instead`,
    )
  const [height, width] = edges.map((edge) => (typeof edge === 'number' ? edge : 224))
  const named = renameValues(file, {
    [input.name]: 'pixel_values',
    [file.outputs[0]?.name ?? '']: hasHead(file) ? 'logits' : 'features',
  })
  const preprocessor = {
    image_processor_type: 'ViTImageProcessor',
    do_resize: true,
    size: { height, width },
    resample: 2,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: [0.485, 0.456, 0.406],
    image_std: [0.229, 0.224, 0.225],
  }
  return {
    name: nameOf(path).replace(/\.onnx$/, ''),
    task,
    model: named,
    config: { model_type: 'resnet', architectures: ['ResNetForImageClassification'] },
    labels: [],
    others: new Map([[transformersFiles.preprocessor, toJson(preprocessor)]]),
    notes: [`Pictures are resized to ${width} × ${height} and normalized as ImageNet's.`],
  }
}

/** What a model reads. Texts need a tokenizer among its files. */
function taskOf({ inputs }: Model, others: Folder): Task {
  const [first] = inputs
  if (inputs.some(({ name }) => name === 'input_ids')) {
    const needed = [transformersFiles.tokenizer, transformersFiles.tokenizerConfig]
    const missing = needed.find((path) => !others.has(path))
    if (missing === undefined) return 'text'
    throw new Error(`model: must have ${missing}, because it reads texts; drop its whole folder`)
  }
  if (inputs.length === 1 && first?.type === 'float32' && first.shape?.length === 4) return 'image'
  const found = inputs.map(({ name, type, shape }) => `${name} (${type} [${shape}])`)
  throw new Error(
    `model: must take pictures (float32 of batch × channels × height × width) or texts (input_ids), but takes ${listed(found) || 'nothing'}`,
  )
}

async function readWeights(path: string, files: ReadonlyMap<string, Blob>): Promise<Model> {
  const folder = path.slice(0, path.length - nameOf(path).length)
  const beside = await contents(
    [...files].filter(([name]) => name.startsWith(folder) && isExternal(name)),
  )
  const file = files.get(path)
  if (!file) throw new Error(`model: must have ${path}`)
  const bytes = new Uint8Array(await file.arrayBuffer())
  return readModel(bytes, (location) => {
    const external = beside.get(folder + location)
    if (external) return external
    throw new Error(`model: must have ${folder}${location}, which holds weights of ${path}`)
  })
}

async function contents(files: Iterable<readonly [string, Blob]>): Promise<Folder> {
  const read = [...files].map(
    async ([path, file]) => [path, new Uint8Array(await file.arrayBuffer())] as const,
  )
  return new Map(await Promise.all(read))
}

function parseJson(path: string, folder: Folder): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(new TextDecoder().decode(folder.get(path)))
  } catch (cause) {
    throw new Error(`${path}: must be JSON, but cannot be read: ${cause}`, { cause })
  }
}

/** A value as the bytes of a JSON file. */
export const toJson = (value: object): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(`${JSON.stringify(value, undefined, 2)}\n`)

/**
 * Downloads a model of the Hugging Face hub.
 *
 * @param name - such as `owner/model`.
 * @param onProgress - gets the path of the file that is being downloaded.
 * @throws {Error} If the hub cannot be reached, or has no such model with weights that can be trained.
 */
export async function downloadFromHub(
  name: string,
  onProgress: (path: string) => void,
): Promise<readonly PathFile[]> {
  const hub = 'https://huggingface.co'
  if (!/^\w[\w.-]*\/\w[\w.-]*$/.test(name))
    throw new Error(`model: must have a name such as owner/model, but has ${JSON.stringify(name)}`)
  const listing = await download(name, `${hub}/api/models/${name}`)
  const { siblings = [] }: { siblings?: { rfilename: string }[] } = JSON.parse(await listing.text())
  const paths = siblings.map(({ rfilename }) => rfilename)
  const weights = weightFiles.find((path) => paths.includes(path))
  if (weights === undefined)
    throw new Error(`${name}: has no ${transformersFiles.model} on the hub`)
  const wanted = paths.filter((path) => isKept(path) || path.startsWith(weights))
  return downloadFiles(name, `${hub}/${name}/resolve/main/`, wanted, onProgress)
}

/**
 * Downloads files of a model.
 *
 * @param address - of its folder.
 * @throws {Error} If one cannot be downloaded.
 */
export async function downloadFiles(
  name: string,
  address: string,
  paths: readonly string[],
  onProgress: (path: string) => void = () => {},
): Promise<readonly PathFile[]> {
  const files: PathFile[] = []
  for (const path of paths) {
    onProgress(path)
    files.push({ path: `${name}/${path}`, file: await download(name, address + path) })
  }
  return files
}

async function download(name: string, url: string): Promise<Blob> {
  const { host } = new URL(url)
  const response = await fetch(url).catch((cause) => {
    throw new Error(
      `${name}: cannot be downloaded, because ${host} cannot be reached; without a network, drop the folder of a model`,
      { cause },
    )
  })
  if (response.ok) return response.blob()
  throw new Error(`${name}: cannot be downloaded from ${host}: ${response.status}`)
}
