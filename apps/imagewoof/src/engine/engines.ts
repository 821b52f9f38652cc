import { crossEntropy } from '@diffgrad/onnx'
import {
  type Metric,
  NotFiniteError,
  type Output,
  readCheckpoint,
  Trainer,
  writeCheckpoint,
} from '@diffgrad/onnxruntime'
import * as ort from 'onnxruntime-node'
import { Divergence } from '../failure.ts'
import { accuracyOf, type TrainingEngine, type TrainingEngineOptions } from './engine.ts'

/** The engines by their names on the command line. */
export const engines: Readonly<
  Record<'onnxruntime' | 'tfjs', (options: TrainingEngineOptions) => Promise<TrainingEngine>>
> = { onnxruntime: createOnnxRuntimeEngine, tfjs: createTfjsEngine }

/** Trains on ONNX Runtime, on the CPU or on a graphics card. */
async function createOnnxRuntimeEngine(options: TrainingEngineOptions): Promise<TrainingEngine> {
  const { model, frozen, optimizer, batch, size, threads, provider = 'cpu', ranks } = options
  const [{ name: input, shape = [] }] = model.inputs
  const [{ name: output }] = model.outputs
  const lengths = [batch, 3, size, size]
  const dimensions = shape.flatMap((dimension, axis) =>
    typeof dimension === 'string' ? [[dimension, lengths[axis]] as const] : [],
  )
  let labels: readonly number[] = []
  // The targets of a batch do not tell the labels once they are weighted.
  const accuracy: Metric = {
    outputs: [output],
    compute: (outputs) => accuracyOf(float32(outputs[output]), labels),
  }
  const trainer = await Trainer.create(ort, model, {
    loss: crossEntropy({ targets: 'probabilities', target: 'targets', output }),
    optimizer,
    frozen,
    dimensions: Object.fromEntries(dimensions),
    metrics: { accuracy },
    ...(ranks && { ranks }),
    session: {
      intraOpNumThreads: threads,
      ...(provider !== 'cpu' && { executionProviders: [provider] }),
    },
  })
  const weights = { average: Boolean(optimizer.ema || optimizer.rule.evaluationPoint) }
  const imagesInput = (data: Float32Array) => ({ [input]: { data, dims: imageShape(data, size) } })
  return {
    async step({ images, targets, ...batch }, edges) {
      labels = batch.labels
      const inputs = { ...imagesInput(images), targets }
      const histograms = edges && { histograms: { xi: edges } }
      const result = await trainer.step(inputs, histograms).catch(divergenceOf(NotFiniteError))
      const friction = result.histograms?.xi
      const [own, ...all] = [result, ...(result.ranks ?? [])].map(({ loss, metrics }) => {
        return { loss, accuracy: metrics.accuracy }
      })
      return { ...own, ...(friction && { friction }), ...(all.length > 0 && { ranks: all }) }
    },
    reestimate: ({ images, targets }) => trainer.reestimate({ ...imagesInput(images), targets }),
    async predict(images) {
      return float32((await trainer.predict(imagesInput(images), weights))[output])
    },
    report: (loss) => trainer.report(loss),
    save: (notes) => trainer.save(notes),
    load: (checkpoint) => trainer.load(checkpoint),
    export: () => trainer.export(weights),
    dispose: () => trainer.dispose(),
  }
}

/** Trains on TensorFlow.js, on a graphics card if there is one. */
async function createTfjsEngine(options: TrainingEngineOptions): Promise<TrainingEngine> {
  const { model, frozen, optimizer, size } = options
  // Imported here because TensorFlow.js loads slowly.
  const { ClassifierTrainer, NonFiniteStepError, selectBackend } = await import(
    '@diffgrad/onnx-tfjs'
  )
  await selectBackend()
  const trainer = new ClassifierTrainer(model, { optimizer, frozen })
  return {
    async step({ images, targets, labels }, edges) {
      const shape = imageShape(images, size)
      const { loss, logits, friction } = await trainer
        .step({ inputs: images, shape, targets }, edges)
        .catch(divergenceOf(NonFiniteStepError))
      const accuracy = accuracyOf(logits, labels)
      return { loss, accuracy, ...(friction && { friction }) }
    },
    async reestimate() {
      throw new TypeError('tfjs trains by no rule with an evaluation point')
    },
    predict: (images) => trainer.predict(images, imageShape(images, size)),
    report: async (loss) => trainer.report(loss),
    save: async (notes) => writeCheckpoint({ ...(await trainer.state()), notes }),
    async load(checkpoint) {
      const { notes, ...state } = readCheckpoint(checkpoint, trainer.shapes)
      trainer.loadState(state)
      return notes
    },
    export: () => trainer.export(),
    dispose: async () => trainer.dispose(),
  }
}

/** [batch, 3, size, size] of images in one array. */
const imageShape = ({ length }: Float32Array, size: number): readonly number[] => [
  length / (3 * size * size),
  3,
  size,
  size,
]

/** Turns errors of a class, which repeating the step would give again, into a Divergence. */
const divergenceOf =
  (NonFinite: abstract new (...args: never) => Error) =>
  (cause: unknown): never => {
    throw cause instanceof NonFinite ? new Divergence(cause.message, { cause }) : cause
  }

/** The elements of an output, which are logits. */
function float32({ data }: Output): Float32Array {
  if (data instanceof Float32Array) return data
  throw new TypeError('logits must be float32')
}
