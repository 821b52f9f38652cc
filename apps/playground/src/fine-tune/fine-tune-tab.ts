import { proxy, type Remote, wrap } from 'comlink'
import { formatPercent } from '../format.ts'
import { withOption } from '../optimizers/config.ts'
import { type FineTuneState, maxBatch, maxFineTuneSteps, maxRank, type State } from '../state.ts'
import { chart } from '../ui/chart.ts'
import { element, setText } from '../ui/element.ts'
import { numberField, selectField } from '../ui/form-controls.ts'
import {
  accuracyLines,
  emptyCurve,
  type LearningCurve,
  lossLines,
  withAccuracy,
  withLoss,
} from '../ui/learning-curve.ts'
import { drawLineChart } from '../ui/line-chart.ts'
import { OptimizerList } from '../ui/optimizer-list.ts'
import type { KeyActions, Tab } from '../ui/tab.ts'
import { dropZone } from './drop-zone.ts'
import type { Task } from './examples.ts'
import { describeExamples, describeModel, messageOf, ResultPanel, SamplesPanel } from './panels.ts'
import { saveFile, saveFolder, savesFolders } from './save.ts'
import type { ExamplesSummary, ModelSummary } from './session.ts'
import type { FineTuningEvent } from './training.ts'
import type { FineTuningWorker } from './worker.ts'

const methods = { lora: 'LoRA and a new head', head: 'a new head only' } as const
const providers = { wasm: 'WebAssembly', webgpu: 'WebGPU' } as const

/** What a button of the tab shows: a model with examples, and a method that suits them. */
const demos: readonly (readonly [title: string, task: Task, changes: Partial<FineTuneState>])[] = [
  ['Pictures, a new head', 'image', { method: 'head' }],
  ['Pictures, LoRA', 'image', { method: 'lora' }],
  ['Texts, LoRA', 'text', { method: 'lora' }],
]

/** The example models are small, and learn at a higher rate than those that are in use. */
const demoLearningRate = 0.01

/** The tab in which a model of the user's learns classes of the user's. */
export class FineTuneTab implements Tab {
  readonly node: HTMLElement
  readonly keys: KeyActions = { ' ': () => this.#toggle() }
  #state: FineTuneState
  readonly #onChange: (state: FineTuneState) => void
  #worker: Remote<FineTuningWorker> | undefined
  #model: ModelSummary | undefined
  #examples: ExamplesSummary | undefined
  /** What is being done; undefined while nothing is. */
  #busy: 'opening' | 'preparing' | 'training' | undefined
  /** Model, examples and settings of the current training; undefined before the first. */
  #trained: readonly unknown[] | undefined
  #taskOfResult: Task = 'image'
  #nameOfResult = ''
  #curve: LearningCurve = emptyCurve
  /** The last step of the current training; 0 before the first. */
  #end = 0
  #phase = ''
  /** The number of weights that are trained, in words. */
  #trainedWeights = ''
  #frameRequested = false
  readonly #button = element('button', {
    type: 'button',
    class: 'primary',
    onclick: () => this.#toggle(),
  })
  readonly #again = element(
    'button',
    { type: 'button', class: 'quiet', onclick: () => void this.#train('new') },
    'Start again',
  )
  readonly #status = element('output', { class: 'status', 'aria-live': 'off' })
  readonly #error = element('p', { class: 'warning', role: 'alert' })
  readonly #problem = element('p', { class: 'warning', role: 'status' })
  readonly #modelText = element('p', { class: 'summary', role: 'status' })
  readonly #examplesText = element('p', { class: 'summary', role: 'status' })
  readonly #samples = new SamplesPanel()
  readonly #hubName = element('input', {
    type: 'text',
    name: 'hub',
    placeholder: 'Xenova/vit-base-patch16-224',
    autocomplete: 'off',
    spellcheck: 'false',
  })
  readonly #losses = chart('Loss of each batch; its running average is bold', (target) =>
    drawLineChart(target, lossLines([this.#curve], this.#end || this.#state.steps)),
  )
  readonly #accuracies = chart('Accuracy on the examples held out', (target) =>
    drawLineChart(target, accuracyLines([this.#curve], this.#end || this.#state.steps)),
  )
  readonly #method = selectField('Trains', 'method', methods, (method) =>
    this.#change({ method: method === 'head' ? 'head' : 'lora' }),
  )
  readonly #provider = selectField('Computes on', 'provider', providers, (provider) =>
    this.#change({ provider: provider === 'webgpu' ? 'webgpu' : 'wasm' }),
  )
  readonly #rank = this.#number('Rank', 'rank', [1, maxRank])
  readonly #steps = this.#number('Steps', 'steps', [1, maxFineTuneSteps])
  readonly #batch = this.#number('Batch', 'batch', [1, maxBatch])
  readonly #seed = this.#number('Seed', 'seed', [0, 2 ** 31 - 1])
  readonly #optimizer = new OptimizerList({
    current: () => [this.#state.optimizer],
    onChange: ([optimizer]) => this.#change({ optimizer }),
    min: 1,
    max: 1,
    scalable: false,
  })
  readonly #result = new ResultPanel({
    onExample: () => this.#client().classifyHeldOut(),
    onClassify: (input) => this.#client().classify(input),
    onZip: async () =>
      saveFile(`${this.#folderName()}.zip`, await this.#client().zip(this.#folderName())),
    ...(savesFolders() && {
      onFolder: async () => {
        const name = await saveFolder(this.#folderName(), await this.#client().export())
        this.#say(`saved as ${name}`)
      },
    }),
  })

  constructor(state: FineTuneState, onChange: (state: FineTuneState) => void) {
    this.#state = state
    this.#onChange = onChange
    const fields = [this.#method, this.#rank, this.#steps, this.#batch, this.#seed, this.#provider]
    this.node = element(
      'div',
      { class: 'fine-tune' },
      element(
        'header',
        { class: 'intro' },
        element('h1', {}, 'Fine-tune a model in this page'),
        element('p', { class: 'claim' }, claim),
        element(
          'div',
          { class: 'demos', role: 'group', 'aria-label': 'Examples' },
          element('span', { class: 'hint' }, 'See one learn:'),
          ...demos.map(([title, task, changes]) =>
            element(
              'button',
              {
                type: 'button',
                'data-demo': `${task}-${changes.method}`,
                onclick: () => void this.#demonstrate(task, changes),
              },
              title,
            ),
          ),
        ),
      ),
      element('div', { class: 'inputs' }, this.#modelCard(), this.#examplesCard()),
      element(
        'div',
        { class: 'toolbar' },
        element(
          'div',
          { class: 'form-row' },
          this.#button,
          ...fields.map(({ node }) => node),
          this.#again,
        ),
        element('div', { class: 'run-status' }, this.#status),
      ),
      this.#error,
      this.#problem,
      element('div', { class: 'curves' }, this.#losses.node, this.#accuracies.node),
      this.#result.node,
      this.#optimizer.node,
    )
    this.#showSettings()
    this.#show()
  }

  open(state: State): void {
    if (state.tab === 'fine-tune') this.#change(state)
  }

  pause(): void {
    if (this.#busy === 'training') void this.#client().stop()
  }

  #number(
    label: string,
    name: 'rank' | 'steps' | 'batch' | 'seed',
    [min, max]: readonly [number, number],
  ) {
    return numberField(label, { name, min, max, whole: true }, (value) =>
      this.#change({ [name]: value }),
    )
  }

  #modelCard(): HTMLElement {
    return element(
      'section',
      { class: 'card' },
      element('h2', {}, '1. A model'),
      dropZone({
        text: 'Drop a folder of transformers.js that classifies pictures or texts, or an .onnx of pictures.',
        folder: 'Choose a folder',
        file: 'Choose an .onnx',
        accept: '.onnx',
        onFiles: (files) => void this.#openModel(() => this.#client().setModel(files)),
      }),
      element(
        'form',
        {
          class: 'form-row',
          onsubmit: (event) => {
            event.preventDefault()
            const name = this.#hubName.value.trim()
            const onProgress = proxy((path: string) => this.#say(`downloading ${path}`))
            void this.#openModel(() => this.#client().setHubModel(name, onProgress))
          },
        },
        element(
          'label',
          { class: 'text-field' },
          element('span', {}, 'Or a model of the Hugging Face hub, by name'),
          this.#hubName,
        ),
        element('button', { type: 'submit' }, 'Download'),
      ),
      this.#modelText,
    )
  }

  #examplesCard(): HTMLElement {
    return element(
      'section',
      { class: 'card' },
      element('h2', {}, '2. Labelled examples'),
      dropZone({
        text: 'Drop folders of pictures, each named as its class, or a CSV file with columns text and label.',
        folder: 'Choose a folder of folders',
        file: 'Choose a CSV file',
        accept: '.csv,.tsv',
        onFiles: (files) => void this.#openExamples(() => this.#client().setExamples(files)),
      }),
      this.#examplesText,
      this.#samples.node,
    )
  }

  /** The worker, with all that training needs: it is loaded when it is first needed. */
  #client(): Remote<FineTuningWorker> {
    if (this.#worker) return this.#worker
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
    worker.addEventListener('error', ({ message }) => {
      this.#fail(new Error(message || 'the worker could not be started'))
    })
    this.#worker = wrap<FineTuningWorker>(worker)
    return this.#worker
  }

  async #openModel(open: () => Promise<ModelSummary>): Promise<boolean> {
    return this.#do('opening', 'reading the model', async () => {
      this.#model = await open()
    })
  }

  async #openExamples(open: () => Promise<ExamplesSummary>): Promise<boolean> {
    return this.#do('opening', 'reading the examples', async () => {
      this.#examples = await open()
      this.#samples.show(this.#examples)
    })
  }

  /** Does one thing at a time. Returns whether it succeeded; an error message is shown else. */
  async #do(
    kind: 'opening' | 'preparing' | 'training',
    phase: string,
    task: () => Promise<void>,
  ): Promise<boolean> {
    if (this.#isBusy()) return false
    this.#busy = kind
    setText(this.#error, '')
    this.#say(phase)
    try {
      await task()
      this.#phase = ''
      return true
    } catch (error) {
      this.#fail(error)
      return false
    } finally {
      this.#busy = undefined
      this.#show()
    }
  }

  /** Whether something is being done; then an error message says so. */
  #isBusy(): boolean {
    if (this.#busy === undefined) return false
    const remedy = this.#busy === 'training' ? 'stop it first' : 'wait until it is done'
    setText(this.#error, `${this.#busy}: ${remedy}`)
    return true
  }

  #fail(error: unknown): void {
    this.#busy = undefined
    this.#phase = ''
    setText(this.#error, messageOf(error))
    this.#show()
  }

  #say(phase: string): void {
    this.#phase = phase
    this.#show()
  }

  async #demonstrate(task: Task, changes: Partial<FineTuneState>): Promise<void> {
    if (this.#isBusy()) return
    const optimizer = withOption(this.#state.optimizer, 'learningRate', demoLearningRate)
    this.#change({ ...changes, optimizer })
    const ready =
      (await this.#openModel(() => this.#client().setExampleModel(task, document.baseURI))) &&
      (await this.#openExamples(() => this.#client().setExampleData(task)))
    if (ready) await this.#train('new')
  }

  #change(changes: Partial<FineTuneState>): void {
    this.#state = { ...this.#state, ...changes }
    this.#showSettings()
    this.#show()
  }

  /** Model, examples and all settings but the number of steps. */
  #wanted(): readonly unknown[] {
    const { tab: _, steps: __, ...settings } = this.#state
    return [this.#model, this.#examples, JSON.stringify(settings)]
  }

  #isCurrent(): boolean {
    const wanted = this.#wanted()
    return this.#trained?.every((value, i) => value === wanted[i]) ?? false
  }

  #toggle(): void {
    if (this.#busy === 'training') void this.#client().stop()
    else void this.#train(this.#isCurrent() ? 'continued' : 'new')
  }

  async #train(kind: 'new' | 'continued'): Promise<void> {
    const { tab: _, steps, ...settings } = this.#state
    const [model, wanted] = [this.#model, this.#wanted()]
    const listener = proxy((event: FineTuningEvent) => this.#handle(event))
    if (kind === 'new') {
      setText(this.#problem, '')
      const isReady = await this.#do('preparing', 'starting', () =>
        this.#client().prepare(settings, listener),
      )
      if (!isReady || !model) return
      this.#trained = wanted
      this.#taskOfResult = model.task
      this.#nameOfResult = model.name
      this.#curve = emptyCurve
      this.#result.clear()
    }
    this.#end = this.#curve.losses.length + steps
    await this.#do('training', 'training', async () => {
      await this.#client().run(steps, listener)
    })
  }

  /** Applies an event of the worker, and shows the progress once per frame. */
  #handle(event: FineTuningEvent): void {
    if (event.kind === 'phase') this.#phase = event.text
    if (event.kind === 'trained')
      this.#trainedWeights = `${event.weights.toLocaleString('en')} weights are trained${event.head === 'kept' ? ', the head is kept' : ''}`
    if (event.kind === 'problem') setText(this.#problem, event.text)
    if (event.kind === 'step') this.#curve = withLoss(this.#curve, event.loss)
    if (event.kind === 'evaluation')
      this.#curve = withAccuracy(this.#curve, event.step, event.accuracy)
    if (this.#frameRequested) return
    this.#frameRequested = true
    requestAnimationFrame(() => {
      this.#frameRequested = false
      this.#show()
    })
  }

  #folderName(): string {
    return `${this.#nameOfResult.replace(/.*\//, '').replace(/-fine-tuned$/, '')}-fine-tuned`
  }

  /** Shows the settings. Not while a training progresses, so that fields may be edited meanwhile. */
  #showSettings(): void {
    const { method, provider, rank, steps, batch, seed, optimizer } = this.#state
    this.#method.show(method)
    this.#provider.show(provider)
    this.#rank.show(rank)
    this.#rank.node.hidden = method !== 'lora'
    this.#steps.show(steps)
    this.#batch.show(batch)
    this.#seed.show(seed)
    this.#optimizer.show([optimizer])
  }

  #show(): void {
    const isTraining = this.#busy === 'training'
    const isCurrent = this.#isCurrent()
    this.node.setAttribute('aria-busy', `${this.#busy !== undefined}`)
    setText(this.#button, isTraining ? 'Stop' : isCurrent ? 'Continue' : 'Train')
    this.#button.disabled =
      !isTraining && (this.#busy !== undefined || !this.#model || !this.#examples)
    this.#again.hidden = isTraining || !isCurrent
    setText(this.#modelText, this.#model ? describeModel(this.#model) : '')
    setText(this.#examplesText, this.#examples ? describeExamples(this.#examples) : '')
    setText(this.#status, this.#statusText())
    this.#result.node.hidden = this.#curve.losses.length === 0
    this.#result.show(this.#taskOfResult)
    this.#losses.layer.draw()
    this.#accuracies.layer.draw()
    this.#onChange(this.#state)
  }

  #statusText(): string {
    const { losses, averagedLosses, accuracies } = this.#curve
    const isElsewhere = this.#busy === 'opening' || this.#busy === 'preparing'
    if (isElsewhere || losses.length === 0) return this.#phase
    const accuracy = accuracies[accuracies.length - 1]?.[1]
    return [
      `step ${losses.length} of ${this.#end}`,
      `loss ${averagedLosses[averagedLosses.length - 1].toFixed(3)}`,
      ...(accuracy === undefined ? [] : [`${formatPercent(accuracy)} correct`]),
      this.#trainedWeights,
      ...(this.#phase === '' || this.#phase === 'training' ? [] : [this.#phase]),
    ].join(' · ')
  }
}

const claim =
  'A model of yours learns classes of your own, from your own examples, and leaves as a folder that transformers.js loads. All of it is computed in this page: nothing leaves it.'
