import { transformersFiles, withLabels } from '@diffgrad/onnx'
import type { Runtime } from '@diffgrad/onnxruntime'
import type { ExecutionProvider } from '../state.ts'
import { type Example, type Examples, readExamples, type Task } from './examples.ts'
import type { PathFile } from './files.ts'
import { type Folder, type OpenModel, openModel, toJson } from './model-folder.ts'
import {
  batchOf,
  createTraining,
  evaluate,
  type Listener,
  nextTask,
  type Training,
  type TrainingSettings,
  weightsOf,
} from './training.ts'
import { type Classifier, openPipeline, type Prediction } from './transformers.ts'

/** What the page shows of a model. */
export interface ModelSummary {
  readonly name: string
  readonly task: Task
  readonly labels: readonly string[]
  /** The number of weights. */
  readonly weights: number
  readonly notes: readonly string[]
}

/** What the page shows of examples. */
export interface ExamplesSummary {
  readonly task: Task
  readonly classes: readonly { readonly label: string; readonly count: number }[]
  /** Some of the examples, of all classes. */
  readonly samples: readonly Pick<Example, 'content' | 'name'>[]
  readonly problems: readonly string[]
}

/** An example that was not trained on, and what the trained model predicts for it. */
export interface ClassifiedExample {
  readonly content: Blob | string
  readonly label: string
  readonly predictions: readonly Prediction[]
}

/** A file of an exported folder. */
export interface ExportedFile {
  readonly path: string
  readonly content: Uint8Array<ArrayBuffer>
}

/** The most examples that the page shows. */
const samples = 24

/** The steps between two evaluations. */
const evaluationInterval = 10

/**
 * Fine-tunes a classifier of pictures or texts. A call that fails changes nothing: model, examples and
 * training stay what they were.
 */
export class FineTuning {
  readonly #loadRuntime: (provider: ExecutionProvider) => Promise<Runtime>
  #model: OpenModel | undefined
  #examples: Examples | undefined
  #training: Training | undefined
  #classifier: Promise<Classifier> | undefined
  #stopping = false

  constructor(loadRuntime: (provider: ExecutionProvider) => Promise<Runtime>) {
    this.#loadRuntime = loadRuntime
  }

  /** @throws {Error} If the files are no model that can be fine-tuned. */
  async setModel(files: readonly PathFile[]): Promise<ModelSummary> {
    const model = await openModel(files)
    this.#model = model
    const { name, task, labels, notes } = model
    return { name, task, labels, notes, weights: weightsOf(model.model) }
  }

  /** @throws {Error} If the files are no labelled examples. */
  async setExamples(files: readonly PathFile[]): Promise<ExamplesSummary> {
    const found = await readExamples(files)
    this.#examples = found
    const { task, labels, examples, problems } = found
    const classes = labels.map((label, i) => ({
      label,
      count: examples.filter((example) => example.label === i).length,
    }))
    const shown = labels.flatMap((_, i) =>
      examples.filter(({ label }) => label === i).slice(0, Math.ceil(samples / labels.length)),
    )
    return { task, classes, samples: shown.slice(0, samples), problems }
  }

  /**
   * Prepares a new training, which `run` begins.
   *
   * @throws {Error} If there is no model or are no examples for it, it has no head to replace, or its operators
   *   no gradients.
   */
  async prepare(settings: TrainingSettings, listener: Listener): Promise<void> {
    const [model, examples] = [this.#model, this.#examples]
    if (!model) throw new Error('model: choose one first')
    if (!examples) throw new Error('examples: choose some first')
    if (model.task !== examples.task)
      throw new Error(
        `examples: must be ${plurals[model.task]} for ${model.name}, but are ${plurals[examples.task]}`,
      )
    await listener({ kind: 'phase', text: 'loading ONNX Runtime' })
    const runtime = await this.#loadRuntime(settings.provider)
    const training = await createTraining(runtime, model, examples, settings, listener)
    await this.#training?.trainer.dispose()
    this.#training = training
    await this.#forgetClassifier()
  }

  /**
   * Takes so many further steps, fewer if `stop` is called.
   *
   * @throws {Error} If the loss is not finite or the runtime fails; the weights are those of the step before.
   */
  async run(steps: number, listener: Listener): Promise<'finished' | 'stopped'> {
    const training = this.#current()
    const { trainer, trained, batches } = training
    const end = training.step + steps
    this.#stopping = false
    await listener({ kind: 'phase', text: 'training' })
    await this.#forgetClassifier()
    try {
      while (training.step < end && !this.#stopping) {
        const batch = batchOf(batches.next().value.map((i) => trained[i]))
        const { loss } = await trainer.step(batch)
        training.step++
        await listener({ kind: 'step', step: training.step, loss })
        if (training.step % evaluationInterval === 0 && training.step < end)
          await evaluate(training, listener)
        await nextTask()
      }
      await evaluate(training, listener)
    } finally {
      // One that was loaded meanwhile has the weights of that step.
      await this.#forgetClassifier()
    }
    return training.step < end ? 'stopped' : 'finished'
  }

  /** Makes `run` return after the step that is being taken. */
  stop(): void {
    this.#stopping = true
  }

  /** The trained model as a folder that the pipeline of transformers.js loads. */
  async export(): Promise<readonly ExportedFile[]> {
    return [...(await this.#exported())].map(([path, content]) => ({ path, content }))
  }

  /** Classifies with the pipeline of transformers.js, which loads the exported folder. */
  async classify(input: Blob | string): Promise<readonly Prediction[]> {
    const { model } = this.#current()
    this.#classifier ??= this.#exported().then((folder) => openPipeline(model.task, folder))
    const classifier = await this.#classifier.catch((error) => {
      this.#classifier = undefined
      throw error
    })
    return classifier.classify(input)
  }

  /** Classifies the next of the examples that were held out, in random order. */
  async classifyHeldOut(): Promise<ClassifiedExample> {
    const training = this.#current()
    const { heldOut, labels } = training
    if (heldOut.length === 0) throw new Error('examples: none are held out; each class needs two')
    const { content, label } = heldOut[training.shown++ % heldOut.length]
    return { content, label: labels[label], predictions: await this.classify(content) }
  }

  async #exported(): Promise<Folder> {
    const { trainer, model, labels } = this.#current()
    const { model: file, external } = await trainer.exportFiles()
    const config = toJson(withLabels(model.config, labels))
    return new Map([
      [transformersFiles.config, config],
      ...model.others,
      [transformersFiles.model, file],
      ...Object.entries(external).map(([name, content]) => [`onnx/${name}`, content] as const),
    ])
  }

  async #forgetClassifier(): Promise<void> {
    const classifier = this.#classifier
    this.#classifier = undefined
    await (await classifier)?.dispose()
  }

  #current(): Training {
    if (this.#training) return this.#training
    throw new Error('training: begin it first')
  }
}

const plurals: Readonly<Record<Task, string>> = { image: 'pictures', text: 'texts' }
