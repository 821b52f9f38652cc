import type { State } from '../address/address.ts'
import { element, say } from '../dom/element.ts'
import { accuracyLines, drawLines, lossLines } from '../draw/training-chart.ts'
import { labelsOf } from '../optimizers/labels.ts'
import type { KeyActions } from '../page/keys.ts'
import type { Tab } from '../page/tab.ts'
import type { News } from '../train/message.ts'
import { blank, noted, type Progress, type TrainRecord } from '../train/record.ts'
import { start, type Training } from '../train/start.ts'
import { mostTrainSteps, type TrainState } from '../train/train-state.ts'
import { chart } from './chart.ts'
import { choice } from './choice.ts'
import { FrictionPanel } from './friction-panel.ts'
import { numberField } from './number-field.ts'
import { PictureRow } from './picture-row.ts'
import { RacerList } from './racer-list.ts'

const engines = { wasm: 'WebAssembly', webgpu: 'WebGPU' } as const

/** The tab in which two optimizers train the same network. */
export class TrainTab implements Tab {
  readonly node: HTMLElement
  readonly keys: KeyActions = { ' ': () => this.#toggle() }
  #state: TrainState
  #record: TrainRecord
  #training: Training | undefined
  #waiting = false
  readonly #keep: (state: TrainState) => void
  readonly #play = element('button', {
    type: 'button',
    class: 'primary',
    onclick: () => this.#toggle(),
  })
  readonly #standing = element('output', { class: 'standing', 'aria-live': 'off' })
  readonly #failure = element('p', { class: 'warning', role: 'alert' })
  readonly #pictures = new PictureRow()
  readonly #losses = chart('Loss of each batch; its running average is bold', (surface) =>
    drawLines(surface, lossLines(this.#record.runs, this.#state.steps)),
  )
  readonly #accuracies = chart('Share of 200 unseen pictures told right', (surface) =>
    drawLines(surface, accuracyLines(this.#record.runs, this.#state.steps)),
  )
  readonly #frictions = [new FrictionPanel(0), new FrictionPanel(1)]
  readonly #engine = choice('Computes on', 'engine', engines, (engine) =>
    this.#change({ engine: engine === 'webgpu' ? 'webgpu' : 'wasm' }),
  )
  readonly #steps = numberField(
    'Steps',
    { name: 'steps', min: 1, max: mostTrainSteps, whole: true },
    (steps) => this.#change({ steps }),
  )
  readonly #seed = numberField(
    'Seed',
    { name: 'seed', min: 0, max: 2 ** 31 - 1, whole: true },
    (seed) => this.#change({ seed }),
  )
  readonly #racers = new RacerList({
    of: () => this.#state.racers,
    change: ([first, second]) => this.#change({ racers: [first, second] }),
    fewest: 2,
    most: 2,
    scalable: false,
  })

  /** @param keep - is told every state that an address should lead back to. */
  constructor(state: TrainState, keep: (state: TrainState) => void) {
    this.#state = state
    this.#record = blank(state.racers.length)
    this.#keep = keep
    const settings = [this.#engine, this.#steps, this.#seed].map(({ node }) => node)
    const frictions = this.#frictions.map(({ node }) => node)
    const title = element('h1', {}, 'Two optimizers, one network')
    this.node = element(
      'div',
      { class: 'train' },
      element('header', { class: 'telling' }, title, element('p', { class: 'claim' }, claim)),
      element(
        'div',
        { class: 'bar' },
        element('div', { class: 'setting' }, this.#play, ...settings),
        element('div', { class: 'going' }, this.#standing),
      ),
      this.#failure,
      this.#pictures.node,
      element('div', { class: 'curves' }, this.#losses.node, this.#accuracies.node),
      element('div', { class: 'frictions' }, ...frictions),
      element('section', { class: 'entries' }, element('h2', {}, 'Optimizers'), this.#racers.node),
    )
    this.#show()
  }

  open(state: State): void {
    if (state.tab === 'train') this.#change(state)
  }

  pause(): void {
    this.#end()
    this.#show()
  }

  #change(changes: Partial<TrainState>): void {
    this.#end()
    this.#state = { ...this.#state, ...changes }
    this.#record = blank(this.#state.racers.length)
    this.#show()
  }

  #toggle(): void {
    if (this.#training) this.#end()
    else {
      this.#record = blank(this.#state.racers.length)
      const { engine, racers, steps, seed } = this.#state
      this.#training = start({ engine, racers, steps, seed }, (news) => this.#hear(news))
    }
    this.#show()
  }

  #hear(news: News): void {
    this.#record = noted(this.#record, news)
    if (news.kind === 'pictures') this.#pictures.show(news.pixels)
    if (this.#record.over) this.#end()
    if (this.#waiting) return
    this.#waiting = true
    requestAnimationFrame(() => {
      this.#waiting = false
      this.#show()
    })
  }

  #end(): void {
    this.#training?.stop()
    this.#training = undefined
  }

  #show(): void {
    const { engine, steps, seed, racers } = this.#state
    const { runs, doing, failure } = this.#record
    say(this.#play, this.#training ? 'Stop' : runs[0].losses.length > 0 ? 'Train again' : 'Train')
    this.#engine.show(engine)
    this.#steps.show(steps)
    this.#seed.show(seed)
    this.#racers.show(racers)
    const labels = labelsOf(racers)
    this.#racers.tell(runs.map(standing))
    for (const [i, panel] of this.#frictions.entries()) panel.show(racers[i], labels[i], runs[i])
    const step = runs[runs.length - 1].losses.length
    say(this.#standing, step > 0 ? `step ${step} of ${steps}` : doing)
    say(this.#failure, failure ?? '')
    this.#losses.sheet.draw()
    this.#accuracies.sheet.draw()
    this.#keep(this.#state)
  }
}

const claim =
  'Both get the same first weights and the same batches of pictures, drawn and computed in this page. Below the curves is the friction of every weight: near ½, diffGrad is Adam at half the rate.'

/** Where a racer stands, in words. */
function standing({ smooth, accuracies, milliseconds }: Progress): string {
  const loss = smooth[smooth.length - 1]
  if (loss === undefined) return ''
  const told = accuracies[accuracies.length - 1]
  const right = told ? ` · ${Math.round(100 * told[1])} % right` : ''
  return `loss ${loss.toFixed(3)}${right} · ${milliseconds?.toFixed(0)} ms a step`
}
