import { landscapeTitles, landscapeViews } from '../landscapes.ts'
import type { OptimizerConfig } from '../optimizers/config.ts'
import { optimizerLabels } from '../optimizers/option-text.ts'
import { maxRaceSteps, type RaceState } from '../state.ts'
import { swatch } from '../ui/chart.ts'
import { element, setText } from '../ui/element.ts'
import { type Control, numberField, selectField } from '../ui/form-controls.ts'

interface PlaybackActions {
  toggle(): void
  /** Moves by a number of steps; negative numbers move back. */
  stepBy(steps: number): void
  seek(step: number): void
  /** @param speed - in steps per second. */
  setSpeed(speed: number): void
}

const speeds: Readonly<Record<string, string>> = Object.fromEntries(
  [1, 3, 10, 20, 40, 60, 120, 240].map((speed) => [speed, `${speed} steps a second`]),
)

/** Play, pause, step and seek. */
export class PlaybackControls {
  readonly node: HTMLElement
  readonly #play: HTMLButtonElement
  readonly #slider: HTMLInputElement
  readonly #count = element('output', { class: 'count', 'aria-live': 'off' })
  readonly #speed: Control<string>

  constructor({ toggle, stepBy, seek, setSpeed }: PlaybackActions) {
    const button = (label: string, text: string, onclick: () => void): HTMLButtonElement =>
      element('button', { type: 'button', 'aria-label': label, title: label, onclick }, text)
    this.#play = button('Play', '', toggle)
    this.#play.classList.add('play')
    this.#slider = element('input', {
      type: 'range',
      min: 0,
      step: 1,
      'aria-label': 'Step of the race',
      oninput: () => seek(this.#slider.valueAsNumber),
    })
    this.#speed = selectField('Speed', 'speed', speeds, (speed) => setSpeed(Number(speed)), {
      labelHidden: true,
    })
    this.node = element(
      'div',
      { class: 'playback', role: 'group', 'aria-label': 'Playback' },
      this.#play,
      button('One step back', '‹', () => stepBy(-1)),
      button('One step forward', '›', () => stepBy(1)),
      this.#slider,
      this.#count,
      this.#speed.node,
    )
  }

  show({ currentStep, steps, speed }: RaceState, playing: boolean): void {
    const finished = currentStep >= steps
    const label = playing ? 'Pause' : finished ? 'Play again' : 'Play'
    if (this.#play.getAttribute('aria-label') !== label) {
      this.#play.setAttribute('aria-label', label)
      this.#play.title = label
      this.#play.dataset.icon = playing ? 'pause' : 'play'
    }
    this.#slider.max = `${steps}`
    this.#slider.value = `${currentStep}`
    setText(this.#count, `${currentStep} / ${steps}`)
    this.#speed.show(`${speed}`)
  }
}

/** The legend of the race. A click selects the optimizer whose internals are shown. */
export class RaceLegend {
  readonly node: HTMLElement = element('ul', {
    class: 'race-legend',
    'aria-label': 'Optimizers in the race',
  })
  readonly #onSelect: (index: number) => void
  #labels = ''

  constructor(onSelect: (index: number) => void) {
    this.#onSelect = onSelect
  }

  show(optimizers: readonly OptimizerConfig[], selected: number): void {
    const labels = optimizerLabels(optimizers)
    if (this.#labels !== labels.join()) {
      this.#labels = labels.join()
      const items = labels.map((label, i) => {
        const attributes = { type: 'button', onclick: () => this.#onSelect(i) }
        return element('li', {}, element('button', attributes, swatch(i), label))
      })
      this.node.replaceChildren(...items)
    }
    for (const [i, button] of this.node.querySelectorAll('button').entries()) {
      button.setAttribute('aria-pressed', `${i === selected}`)
    }
  }
}

const hint =
  'Click or drag in the landscape to start elsewhere, or focus it and use the arrow keys. Space plays; comma and full stop step.'

/** The form of landscape, start and length of the race. */
export class RaceForm {
  readonly node: HTMLElement
  readonly #landscape: Control<string>
  readonly #steps: Control<number>
  readonly #start: readonly Control<number>[]

  /** @param current - returns the state that is shown. */
  constructor(current: () => RaceState, onChange: (changes: Partial<RaceState>) => void) {
    this.#landscape = selectField('Landscape', 'landscape', landscapeTitles, (landscape) =>
      onChange({ landscape, start: landscapeViews[landscape].start, currentStep: 0 }),
    )
    this.#steps = numberField(
      'Steps',
      { name: 'steps', min: 1, max: maxRaceSteps, whole: true },
      (steps) => onChange({ steps, currentStep: Math.min(current().currentStep, steps) }),
    )
    this.#start = ['x', 'y'].map((axis, i) =>
      numberField(`InitialParameter ${axis}`, { name: `start-${axis}` }, (value) =>
        onChange({ start: current().start.with(i, value) }),
      ),
    )
    const fields = [this.#landscape, this.#steps, ...this.#start].map(({ node }) => node)
    this.node = element(
      'section',
      { class: 'race-form' },
      element('h2', {}, 'Landscape'),
      element('div', { class: 'form-row' }, ...fields),
      element('p', { class: 'hint' }, hint),
    )
  }

  show({ landscape, steps, start }: RaceState): void {
    this.#landscape.show(landscape)
    this.#steps.show(steps)
    for (const [i, field] of this.#start.entries()) {
      field.node.hidden = i >= start.length
      if (i < start.length) field.show(start[i])
    }
  }
}
