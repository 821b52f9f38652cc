import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { adamW, diffGrad } from '@diffgrad/core'
import {
  add,
  apply,
  batchNorm,
  buildModel,
  cast,
  conv,
  crossEntropy,
  div,
  Graph,
  gelu,
  globalAveragePool,
  layerNorm,
  linear,
  type Model,
  maxPool,
  mul,
  reduceSum,
  relu,
  residual,
  seeded,
  selfAttention,
  sequential,
  toModel,
  transformersFiles,
  type Value,
  withLabels,
} from '@diffgrad/onnx'
import { accuracy, type Batch, Trainer } from '@diffgrad/onnxruntime'
import * as ort from 'onnxruntime-node'
import { shuffledBatches } from '../src/batches.ts'
import {
  drawExamples,
  knownShapes,
  pictureEdge,
  writeMessages,
} from '../src/fine-tune/example-data.ts'

// Writes the example models of the fine-tune tab, folders of transformers.js, to public/models:
// `pnpm --filter playground models`. A minute of training gives the accuracies that it prints.

const folder = fileURLToPath(new URL('../public/models', import.meta.url))

type Files = Readonly<Record<string, object | Uint8Array>>

function writeFolder(name: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, name, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(
      file,
      content instanceof Uint8Array ? content : `${JSON.stringify(content, undefined, 1)}\n`,
    )
  }
}

interface Training<E> {
  readonly examples: readonly E[]
  readonly unseen: readonly E[]
  readonly batchOf: (examples: readonly E[]) => Batch
  readonly dimensions: Readonly<Record<string, number>>
  readonly optimizer: Parameters<typeof Trainer.create>[2]['optimizer']
  readonly steps: number
}

/** Trains a model, and returns its file. */
async function train<E>(name: string, model: Model, training: Training<E>): Promise<Uint8Array> {
  const { examples, unseen, batchOf, dimensions, optimizer, steps } = training
  const trainer = await Trainer.create(ort, model, {
    loss: crossEntropy(),
    optimizer,
    dimensions,
    metrics: { accuracy: accuracy({ output: 'logits' }) },
  })
  const batches = shuffledBatches(examples.length, dimensions.batch, 1)
  for (let step = 0; step < steps; step++)
    await trainer.step(batchOf(batches.next().value.map((i) => examples[i])))
  const { metrics } = await trainer.evaluate(batchOf(unseen))
  console.log(
    `${name}: ${(100 * metrics.accuracy).toFixed(1)} % of ${unseen.length} unseen examples`,
  )
  return trainer.export()
}

/** A convolutional network for the shapes that it is to know. */
async function shapesModel(): Promise<Files> {
  const blocks = [12, 24, 48, 64].map((channels) =>
    sequential(conv(channels), batchNorm(), relu, maxPool(2)),
  )
  const network = sequential(...blocks, globalAveragePool, linear(knownShapes.length))
  const shape = ['batch', 3, pictureEdge, pictureEdge]
  const model = buildModel(network, { shape, seed: 1, input: 'pixel_values', output: 'logits' })
  const plane = pictureEdge ** 2
  const file = await train('shapes', model, {
    examples: drawExamples(knownShapes, 400, 1),
    unseen: drawExamples(knownShapes, 50, 1_000_000),
    batchOf(pictures) {
      const input = new Float32Array(pictures.length * 3 * plane)
      for (const [k, { pixels }] of pictures.entries())
        for (let p = 0; p < plane; p++)
          for (let channel = 0; channel < 3; channel++)
            input[(3 * k + channel) * plane + p] = pixels[3 * p + channel] / 127.5 - 1
      return {
        pixel_values: input,
        target: pictures.map(({ label }) => knownShapes.indexOf(label)),
      }
    },
    dimensions: { batch: 32 },
    optimizer: { rule: diffGrad, learningRate: 0.01 },
    steps: 450,
  })
  const config = { model_type: 'resnet', architectures: ['ResNetForImageClassification'] }
  return {
    [transformersFiles.config]: withLabels(config, knownShapes),
    [transformersFiles.preprocessor]: {
      image_processor_type: 'ViTImageProcessor',
      do_resize: true,
      size: { height: pictureEdge, width: pictureEdge },
      resample: 2,
      do_rescale: true,
      rescale_factor: 1 / 255,
      do_normalize: true,
      image_mean: [0.5, 0.5, 0.5],
      image_std: [0.5, 0.5, 0.5],
    },
    [transformersFiles.model]: file,
  }
}

const alphabet = "▁abcdefghijklmnopqrstuvwxyz0123456789.,:;!?'-"
const special = ['[PAD]', '[UNK]', '[CLS]']
const vocabulary = [...special, ...alphabet]
/** The most tokens of a text, including [CLS], which is the first. */
const longest = 128

/** Text as tokens: lower-case characters, with ▁ for a space. */
const tokenizer = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: special.map((content, id) => ({
    ...{ id, content, special: true, normalized: false },
    ...{ single_word: false, lstrip: false, rstrip: false },
  })),
  normalizer: {
    type: 'Sequence',
    normalizers: [
      { type: 'Lowercase' },
      { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    ],
  },
  pre_tokenizer: { type: 'Split', pattern: { Regex: '.' }, behavior: 'Isolated', invert: false },
  post_processor: {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '[CLS]', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [{ SpecialToken: { id: '[CLS]', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    special_tokens: { '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] } },
  },
  decoder: { type: 'Fuse' },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 1,
    vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
  },
}

/** An encoder of characters with positions counted by the mask, as RoBERTa's are, and their mean at the end. */
function characterEncoder(classes: number, features: number): Model {
  const graph = new Graph()
  const random = seeded(1)
  const ids = graph.input('input_ids', 'int64', ['batch', 'length'])
  const marks = graph.input('attention_mask', 'int64', ['batch', 'length'])
  const table = (name: string, rows: number, deviation: number): Value => {
    const data = Float32Array.from({ length: rows * features }, () => deviation * random.normal())
    return graph.parameter(name, { type: 'float32', shape: [rows, features], data })
  }
  const tokens = apply('Gather', [table('embeddings.token', vocabulary.length, 0.5), ids])
  const positions = apply('CumSum', [marks, graph.scalar(1, 'int64')])
  const places = apply('Gather', [table('embeddings.position', longest + 1, 0.1), positions])
  const mask = cast(marks, 'float32')
  const block = sequential(
    residual(selfAttention(4, { mask })),
    layerNorm(),
    residual(sequential(linear(2 * features), gelu, linear(features))),
    layerNorm(),
  )
  const encoded = sequential(block, block)(add(tokens, places), { path: 'encoder.', random })
  const weights = apply('Unsqueeze', [mask, graph.integers([2])])
  const mean = div(reduceSum(mul(encoded, weights), [1], 'drop'), reduceSum(weights, [1], 'drop'))
  const logits = linear(classes)(mean, { path: 'classifier.', random })
  return toModel({ name: 'characters', outputs: new Map([['logits', logits]]) })
}

/** An encoder of messages to a shop, for their topics. */
async function messagesModel(): Promise<Files> {
  const topics = [...new Set(writeMessages(100, 1).map(({ topic }) => topic))].toSorted()
  const length = 64
  const file = await train('messages', characterEncoder(topics.length, 32), {
    examples: writeMessages(4000, 1),
    unseen: writeMessages(300, 1_000_000),
    batchOf(messages) {
      const dims = [messages.length, length]
      const ids = new BigInt64Array(messages.length * length)
      const mask = new BigInt64Array(ids.length)
      for (const [k, { text }] of messages.entries()) {
        const tokens = ['[CLS]', ...text.toLowerCase().replaceAll(' ', '▁')]
        for (const [i, token] of tokens.slice(0, length).entries()) {
          ids[k * length + i] = BigInt(vocabulary.indexOf(token))
          mask[k * length + i] = 1n
        }
      }
      return {
        input_ids: { data: ids, dims },
        attention_mask: { data: mask, dims },
        target: messages.map(({ topic }) => topics.indexOf(topic)),
      }
    },
    dimensions: { batch: 16, length },
    optimizer: { rule: adamW, learningRate: 0.003 },
    steps: 900,
  })
  const config = { model_type: 'bert', architectures: ['BertForSequenceClassification'] }
  return {
    [transformersFiles.config]: withLabels(config, topics),
    [transformersFiles.tokenizer]: tokenizer,
    [transformersFiles.tokenizerConfig]: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      model_max_length: longest,
      pad_token: '[PAD]',
      unk_token: '[UNK]',
      cls_token: '[CLS]',
    },
    [transformersFiles.model]: file,
  }
}

writeFolder('shapes', await shapesModel())
writeFolder('messages', await messagesModel())
