import {
  adaptableWeights,
  attachHead,
  backbonePattern,
  crossEntropy,
  hasHead,
  headNames,
  lora,
  type Model,
  onlyNames,
  replaceHead,
} from '@diffgrad/onnx'
import { accuracy, type Batch, type Runtime, Trainer } from '@diffgrad/onnxruntime'
import { shuffledBatches } from '../batches.ts'
import { optimizers } from '../optimizers/registry.ts'
import type { FineTuneState } from '../state.ts'
import { type Example, type Examples, listed, split } from './examples.ts'
import type { Folder, OpenModel } from './model-folder.ts'
import { type Input, openTokenizer, pictureReader } from './transformers.ts'

/** How a model is trained. */
export type TrainingSettings = Omit<FineTuneState, 'tab' | 'steps'>

/** What a training reports. Steps are counted from 1, over all parts of a training. */
export type FineTuningEvent =
  | { readonly kind: 'phase'; readonly text: string }
  | {
      readonly kind: 'trained'
      /** The number of weights that are trained. */
      readonly weights: number
      /** `kept` if the model has the classes of the examples already. */
      readonly head: 'kept' | 'new'
    }
  | { readonly kind: 'problem'; readonly text: string }
  | { readonly kind: 'step'; readonly step: number; readonly loss: number }
  | {
      readonly kind: 'evaluation'
      readonly step: number
      /** On examples that were held out, in [0, 1]. */
      readonly accuracy: number
    }

export type Listener = (event: FineTuningEvent) => void | Promise<void>

/** The most tokens of a text that is trained on, as memory grows with their square. */
const maxTokens = 128

/** The most elements of all pictures together: a gibibyte. */
const maxElements = 2 ** 28

/** An example as the model's inputs, without the batch axis. */
export interface PreparedExample {
  readonly content: Blob | string
  readonly inputs: Readonly<Record<string, Input>>
  readonly label: number
}

/** A model with examples, ready to take steps. */
export interface Training {
  readonly trainer: Trainer
  readonly model: OpenModel
  readonly labels: readonly string[]
  readonly trained: readonly PreparedExample[]
  readonly heldOut: readonly PreparedExample[]
  readonly batches: Generator<readonly number[], never>
  readonly batchSize: number
  step: number
  /** How many held-out examples were classified. */
  shown: number
}

/** Lets messages, such as a request to stop, arrive between two steps. */
export const nextTask = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

/** The number of weights of a model. */
export const weightsOf = ({ initializers }: Model): number =>
  [...initializers.values()].reduce(
    (sum, tensor) => (tensor.type === 'float32' ? sum + tensor.data.length : sum),
    0,
  )

/**
 * Prepares a training, without a step.
 *
 * @throws {Error} If the model has no head to replace, its operators no gradients, or the examples do not fit.
 */
export async function createTraining(
  runtime: Runtime,
  model: OpenModel,
  examples: Examples,
  settings: TrainingSettings,
  listener: Listener,
): Promise<Training> {
  const { method, rank, optimizer, provider, seed } = settings
  const { labels } = examples
  const isKnown = JSON.stringify(labels) === JSON.stringify(model.labels)
  const withHead = isKnown ? model.model : withNewHead(model.model, labels.length, seed)
  const forward = method === 'head' ? withHead : withAdapters(withHead, rank, seed)
  const prepared = await prepareExamples(model, examples, listener)
  const order = shuffledBatches(prepared.length, prepared.length, seed).next().value
  const { trained, heldOut } = split(prepared, order)
  const batchSize = Math.min(batchSizeOf(forward) ?? settings.batch, trained.length)
  await listener({ kind: 'phase', text: 'building the gradients' })
  const options = {
    loss: crossEntropy(),
    optimizer: { rule: optimizers[optimizer.name].rule, ...optimizer.options },
    dimensions: dimensionsOf(forward, batchOf(trained.slice(0, batchSize))),
    metrics: { accuracy: accuracy({ output: forward.outputs[0]?.name ?? '' }) },
    session: { executionProviders: [provider] },
    ...(method === 'head' && { frozen: [backbonePattern(forward)] }),
  }
  const trainer = await Trainer.create(runtime, forward, options).catch((cause) => {
    if (method === 'head' || !/no gradient rule/.test(`${cause}`)) throw cause
    const [reason] = cause.message.split(';')
    throw new Error(`${reason}; train a new head only, which needs no such gradient`, { cause })
  })
  const names = forward.lora?.trained ?? headNames(forward)
  const isTrained = ([name]: readonly [string, unknown]): boolean => [...names].includes(name)
  const initializers = new Map([...forward.initializers].filter(isTrained))
  const weights = weightsOf({ ...forward, initializers })
  await listener({ kind: 'trained', weights, head: isKnown ? 'kept' : 'new' })
  const batches = shuffledBatches(trained.length, batchSize, seed)
  return { ...{ trainer, model, labels, trained, heldOut, batches, batchSize }, step: 0, shown: 0 }
}

const withNewHead = (model: Model, classes: number, seed: number): Model =>
  hasHead(model) ? replaceHead(model, classes, seed) : attachHead(model, classes, seed)

/** The only size of batches that a model takes; undefined if it takes all. */
function batchSizeOf({ inputs }: Model): number | undefined {
  const size = inputs[0]?.shape?.[0]
  if (typeof size !== 'number' || size === 1) return size === 1 ? 1 : undefined
  throw new Error(
    `model: must take batches of any size or of 1, but takes ${size}; export it with a dynamic batch axis`,
  )
}

/** Adapters for all weights but the new head's, which is trained itself. */
function withAdapters(model: Model, rank: number, seed: number): Model {
  const head = headNames(model)
  const weights = adaptableWeights(model).filter((name) => !head.includes(name))
  if (weights.length === 0)
    throw new Error(
      'model: has no weights for adapters (of MatMul, Gemm or Conv); train a new head',
    )
  const options = { rank, alpha: 2 * rank, seed }
  return lora(model, { targets: [onlyNames(weights)], trained: [onlyNames(head)], ...options })
}

/** Converts all examples to inputs of the model. Pictures that cannot be read are left out. */
async function prepareExamples(
  { model, task, others }: OpenModel,
  { examples, labels }: Examples,
  listener: Listener,
): Promise<readonly PreparedExample[]> {
  if (task === 'text') return prepareTexts(model, others, examples, listener)
  const read = await pictureReader(others)
  const name = model.inputs[0]?.name ?? ''
  const prepared: PreparedExample[] = []
  const damaged: string[] = []
  for (const [i, { content, label, name: path }] of examples.entries()) {
    if (i % 20 === 0) {
      await listener({ kind: 'phase', text: `reading picture ${i + 1} of ${examples.length}` })
      await nextTask()
    }
    const input = content instanceof Blob ? await read(content).catch(() => undefined) : undefined
    if (!input) damaged.push(path)
    else
      prepared.push({ content, label, inputs: { [name]: { ...input, dims: input.dims.slice(1) } } })
    const elements = prepared.length * (input?.data.length ?? 0)
    if (elements > maxElements)
      throw new Error(
        `examples: pictures of ${input?.dims.slice(1).join(' × ')} must be at most ${prepared.length - 1}, which take a gibibyte of memory, but are ${examples.length}`,
      )
  }
  if (damaged.length > 0)
    await listener({
      kind: 'problem',
      text: `${listed(damaged)}: left out, cannot be read as pictures`,
    })
  const empty = labels.find((_, label) => prepared.every((example) => example.label !== label))
  if (empty !== undefined)
    throw new Error(`examples: class ${JSON.stringify(empty)} must have a picture that can be read`)
  return prepared
}

async function prepareTexts(
  model: Model,
  others: Folder,
  examples: readonly Example[],
  listener: Listener,
): Promise<readonly PreparedExample[]> {
  const tokenizer = await openTokenizer(others)
  const texts = examples.map(({ content }) => `${content}`)
  const needed = Math.max(...texts.map((text) => tokenizer.count(text)))
  const fixed = model.inputs[0]?.shape?.[1]
  const most = Math.min(tokenizer.longest, maxTokens)
  const length = typeof fixed === 'number' ? fixed : Math.min(needed, most)
  if (length < needed)
    await listener({ kind: 'problem', text: `texts of more than ${length} tokens: cut` })
  return examples.map(({ content, label }, i) => {
    const tokens = tokenizer.tokens(texts[i], length)
    const inputs = model.inputs.map(({ name }): readonly [string, Input] => {
      const found = tokens[name]
      if (found) return [name, { ...found, dims: found.dims.slice(1) }]
      // transformers.js itself feeds zeros for the types of tokens.
      if (name === 'token_type_ids')
        return [name, { data: new BigInt64Array(length), dims: [length] }]
      throw new Error(`model: needs the input ${name}, which its tokenizer does not return`)
    })
    return { content, label, inputs: Object.fromEntries(inputs) }
  })
}

/** A batch of examples. */
export function batchOf(examples: readonly PreparedExample[]): Batch {
  const [first] = examples
  const inputs = Object.entries(first.inputs).map(([name, { data, dims }]) => {
    const joined =
      data instanceof Float32Array
        ? new Float32Array(examples.length * data.length)
        : new BigInt64Array(examples.length * data.length)
    for (const [i, example] of examples.entries())
      joined.set(example.inputs[name].data as never, i * data.length)
    return [name, { data: joined, dims: [examples.length, ...dims] }] as const
  })
  return { ...Object.fromEntries(inputs), target: examples.map(({ label }) => label) }
}

/** The sizes of a model's symbolic dimensions in a batch. */
function dimensionsOf({ inputs }: Model, batch: Batch): Readonly<Record<string, number>> {
  const sizes = inputs.flatMap(({ name, shape = [] }) => {
    const value = batch[name]
    const dims = 'dims' in value ? value.dims : []
    return shape.flatMap((size, axis) => (typeof size === 'string' ? [[size, dims[axis]]] : []))
  })
  return Object.fromEntries(sizes)
}

/** Reports the accuracy on the examples that are held out, if there are any. */
export async function evaluate(training: Training, listener: Listener): Promise<void> {
  const { trainer, heldOut, batchSize, step } = training
  let correct = 0
  for (let from = 0; from < heldOut.length; from += batchSize) {
    const chunk = heldOut.slice(from, from + batchSize)
    const { metrics } = await trainer.evaluate(batchOf(chunk))
    correct += metrics.accuracy * chunk.length
  }
  if (heldOut.length > 0)
    await listener({ kind: 'evaluation', step, accuracy: correct / heldOut.length })
}
