import {
  AutoImageProcessor,
  AutoTokenizer,
  env,
  pipeline,
  RawImage,
  type Tensor,
} from '@xenova/transformers'
import type { Task } from './examples.ts'
import type { Folder } from './model-folder.ts'

// transformers.js reads the folders that `mount` has named, in memory, and nothing else: no network, no disk.

const mounted = new Map<string, Folder>()
let mounts = 0

// It would load ONNX Runtime's WebAssembly from another server.
delete env.backends.onnx.wasm?.wasmPaths
env.allowLocalModels = true
env.allowRemoteModels = false
env.useBrowserCache = false
env.useFSCache = false
env.useWasmCache = false
env.useCustomCache = true
env.customCache = {
  async match(request) {
    const [, name = '', path = ''] = /(memory\/\d+)\/(.+)$/.exec(request) ?? []
    const content = mounted.get(name)?.get(path)
    return content && new Response(content)
  },
  async put() {},
}
env.fetch = async () => new Response(null, { status: 404 })

/** Names a folder, which transformers.js then loads by that name. */
function mount(folder: Folder): string {
  const name = `memory/${++mounts}`
  mounted.set(name, folder)
  return name
}

/** An array that a model takes. */
export interface Input {
  readonly data: Float32Array | BigInt64Array
  readonly dims: readonly number[]
}

/** Converts pictures as the model of a folder sees them: `pixel_values`, 1 × channels × height × width. */
export async function pictureReader(folder: Folder): Promise<(picture: Blob) => Promise<Input>> {
  const name = mount(folder)
  const process = await AutoImageProcessor.from_pretrained(name)
  mounted.delete(name)
  return async (picture) => {
    const { pixel_values } = await process(await RawImage.fromBlob(picture))
    return inputOf(pixel_values)
  }
}

/** Tokens of texts, by the names of a model's inputs · texts × length. */
type Tokens = Readonly<Record<string, Input>>

/** The tokenizer of a folder. */
export interface Tokenizer {
  /** The most tokens that its model takes. */
  readonly longest: number
  /** The number of tokens of a text that is not cut. */
  count(text: string): number
  /** The tokens of a text, padded or cut to a length. */
  tokens(text: string, length: number): Tokens
}

export async function openTokenizer(folder: Folder): Promise<Tokenizer> {
  const name = mount(folder)
  const tokenize = await AutoTokenizer.from_pretrained(name)
  mounted.delete(name)
  const { model_max_length: longest } = tokenize
  return {
    longest: typeof longest === 'number' ? longest : Number.POSITIVE_INFINITY,
    count: (text) => tokenize.encode(text).length,
    tokens(text, length) {
      const options = { padding: 'max_length', max_length: length, truncation: true } as const
      const found: Readonly<Record<string, Tensor>> = tokenize([text], options)
      return Object.fromEntries(Object.entries(found).map(([key, value]) => [key, inputOf(value)]))
    },
  }
}

function inputOf({ data, dims }: Tensor): Input {
  if (data instanceof Float32Array || data instanceof BigInt64Array) return { data, dims }
  throw new Error(`transformers.js: must return float32 or int64, but returns ${typeof data}`)
}

/** The probability of a class. */
export interface Prediction {
  readonly label: string
  readonly score: number
}

/** A pipeline of transformers.js. */
export interface Classifier {
  /** All classes, by descending probability. */
  classify(input: Blob | string): Promise<readonly Prediction[]>
  dispose(): Promise<void>
}

/** Loads a folder with the pipeline of transformers.js, as its users do. */
export async function openPipeline(task: Task, folder: Folder): Promise<Classifier> {
  const name = mount(folder)
  const top_k = 1000
  try {
    if (task === 'text') {
      const classify = await pipeline('text-classification', name, { dtype: 'fp32' })
      return {
        classify: async (text) => [await classify(`${text}`, { top_k })].flat(2),
        dispose: () => classify.dispose(),
      }
    }
    const classify = await pipeline('image-classification', name, { dtype: 'fp32' })
    return {
      async classify(picture) {
        if (typeof picture === 'string') throw new Error('a picture must be a file, but is a text')
        return [await classify(await RawImage.fromBlob(picture), { top_k })].flat(2)
      },
      dispose: () => classify.dispose(),
    }
  } finally {
    mounted.delete(name)
  }
}
