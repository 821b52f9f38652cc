import { optimizerLabels } from '../optimizers/option-text.ts'
import { maxTrainSteps, type State, type TrainState } from '../state.ts'
import { chart } from '../ui/chart.ts'
import { element, setText } from '../ui/element.ts'
import { numberField, selectField } from '../ui/form-controls.ts'
import { accuracyLines, lossLines } from '../ui/learning-curve.ts'
import { drawLineChart } from '../ui/line-chart.ts'
import { OptimizerList } from '../ui/optimizer-list.ts'
import type { KeyActions, Tab } from '../ui/tab.ts'
import {
  initialProgress,
  type OptimizerProgress,
  reduce,
  type TrainingProgress,
} from './progress.ts'
import { FrictionPanel, PictureRow } from './train-panels.ts'
import { startTraining, type Training, type TrainingEvent } from './worker-client.ts'

const providers = { wasm: 'WebAssembly', webgpu: 'WebGPU' } as const

/** The tab in which two optimizers train the same network. */
export class TrainTab implements Tab {
  readonly node: HTMLElement
  readonly keys: KeyActions = { ' ': () => this.#toggle() }
  #state: TrainState
  #progress: TrainingProgress
  #training: Training | undefined
  #frameRequested = false
  readonly #onChange: (state: TrainState) => void
  readonly #play = element('button', {
    type: 'button',
    class: 'primary',
    onclick: () => this.#toggle(),
  })
  readonly #status = element('output', { class: 'status', 'aria-live': 'off' })
  readonly #error = element('p', { class: 'warning', role: 'alert' })
  readonly #pictures = new PictureRow()
  readonly #losses = chart('Loss of each batch; its running average is bold', (target) =>
    drawLineChart(target, lossLines(this.#progress.optimizers, this.#state.steps)),
  )
  readonly #accuracies = chart('Accuracy on 200 unseen pictures', (target) =>
    drawLineChart(target, accuracyLines(this.#progress.optimizers, this.#state.steps)),
  )
  readonly #frictions = [new FrictionPanel(0), new FrictionPanel(1)]
  readonly #provider = selectField('Computes on', 'provider', providers, (provider) =>
    this.#change({ provider: provider === 'webgpu' ? 'webgpu' : 'wasm' }),
  )
  readonly #steps = numberField(
    'Steps',
    { name: 'steps', min: 1, max: maxTrainSteps, whole: true },
    (steps) => this.#change({ steps }),
  )
  readonly #seed = numberField(
    'Seed',
    { name: 'seed', min: 0, max: 2 ** 31 - 1, whole: true },
    (seed) => this.#change({ seed }),
  )
  readonly #optimizers = new OptimizerList({
    current: () => this.#state.optimizers,
    onChange: ([first, second]) => this.#change({ optimizers: [first, second] }),
    min: 2,
    max: 2,
    scalable: false,
  })

  constructor(state: TrainState, onChange: (state: TrainState) => void) {
    this.#state = state
    this.#progress = initialProgress(state.optimizers.length)
    this.#onChange = onChange
    const fields = [this.#provider, this.#steps, this.#seed].map(({ node }) => node)
    const frictions = this.#frictions.map(({ node }) => node)
    const title = element('h1', {}, 'Two optimizers, one network')
    this.node = element(
      'div',
      { class: 'train' },
      element('header', { class: 'intro' }, title, element('p', { class: 'claim' }, claim)),
      element(
        'div',
        { class: 'toolbar' },
        element('div', { class: 'form-row' }, this.#play, ...fields),
        element('div', { class: 'run-status' }, this.#status),
      ),
      this.#error,
      this.#pictures.node,
      element('div', { class: 'curves' }, this.#losses.node, this.#accuracies.node),
      element('div', { class: 'frictions' }, ...frictions),
      this.#optimizers.node,
    )
    this.#show()
  }

  open(state: State): void {
    if (state.tab === 'train') this.#change(state)
  }

  pause(): void {
    this.#cancel()
    this.#show()
  }

  #change(changes: Partial<TrainState>): void {
    this.#cancel()
    this.#state = { ...this.#state, ...changes }
    this.#progress = initialProgress(this.#state.optimizers.length)
    this.#show()
  }

  /** Starts or cancels the training. */
  #toggle(): void {
    if (this.#training) this.#cancel()
    else {
      this.#progress = initialProgress(this.#state.optimizers.length)
      const { provider, optimizers, steps, seed } = this.#state
      const request = { provider, optimizers, steps, seed }
      this.#training = startTraining(request, (event) => this.#handle(event))
    }
    this.#show()
  }

  /** Applies an event of the worker, and shows the progress once per frame. */
  #handle(event: TrainingEvent): void {
    this.#progress = reduce(this.#progress, event)
    if (event.kind === 'samples') this.#pictures.show(event.pixels)
    if (this.#progress.finished) this.#cancel()
    if (this.#frameRequested) return
    this.#frameRequested = true
    requestAnimationFrame(() => {
      this.#frameRequested = false
      this.#show()
    })
  }

  #cancel(): void {
    this.#training?.cancel()
    this.#training = undefined
  }

  #show(): void {
    const { provider, steps, seed, optimizers } = this.#state
    const { optimizers: progress, phase, error } = this.#progress
    const step = progress[progress.length - 1].losses.length
    const started = progress[0].losses.length > 0
    setText(this.#play, this.#training ? 'Stop' : started ? 'Train again' : 'Train')
    this.#provider.show(provider)
    this.#steps.show(steps)
    this.#seed.show(seed)
    this.#optimizers.show(optimizers)
    this.#optimizers.showStatus(progress.map(statusText))
    const labels = optimizerLabels(optimizers)
    for (const [i, panel] of this.#frictions.entries()) {
      panel.show(optimizers[i], labels[i], progress[i])
    }
    setText(this.#status, step > 0 ? `step ${step} of ${steps}` : phase)
    setText(this.#error, error ?? '')
    this.#losses.layer.draw()
    this.#accuracies.layer.draw()
    this.#onChange(this.#state)
  }
}

const claim =
  'Both get the same first weights and the same batches of pictures, drawn and computed in this page. Below the curves is the friction of every weight: near ½, diffGrad is Adam at half the rate.'

function statusText({ averagedLosses, accuracies, milliseconds }: OptimizerProgress): string {
  const loss = averagedLosses[averagedLosses.length - 1]
  if (loss === undefined) return ''
  const evaluation = accuracies[accuracies.length - 1]
  const accuracy = evaluation ? ` · ${Math.round(100 * evaluation[1])} % correct` : ''
  return `loss ${loss.toFixed(3)}${accuracy} · ${milliseconds?.toFixed(0)} ms a step`
}
