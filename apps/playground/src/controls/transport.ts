import { element, say } from '../dom/element.ts'
import { choice } from './choice.ts'

/** What the transport asks of the race. */
export interface TransportWishes {
  toggle(): void
  /** Goes so many steps on, or back. */
  step(by: number): void
  /** Goes to a step. */
  scrub(to: number): void
  pace(speed: number): void
}

const speeds: Readonly<Record<string, string>> = Object.fromEntries(
  [1, 3, 10, 20, 40, 60, 120, 240].map((speed) => [speed, `${speed} steps a second`]),
)

/** Play, pause, step and scrub. */
export class Transport {
  readonly node: HTMLElement
  readonly #play: HTMLButtonElement
  readonly #scrub: HTMLInputElement
  readonly #count = element('output', { class: 'count', 'aria-live': 'off' })
  readonly #speed: ReturnType<typeof choice>

  constructor(wishes: TransportWishes) {
    const button = (label: string, sign: string, act: () => void): HTMLButtonElement =>
      element('button', { type: 'button', 'aria-label': label, title: label, onclick: act }, sign)
    this.#play = button('Play', '', () => wishes.toggle())
    this.#play.classList.add('play')
    this.#scrub = element('input', {
      type: 'range',
      min: 0,
      step: 1,
      'aria-label': 'Step of the race',
      oninput: () => wishes.scrub(this.#scrub.valueAsNumber),
    })
    this.#speed = choice('Speed', 'speed', speeds, (speed) => wishes.pace(Number(speed)))
    this.node = element(
      'div',
      { class: 'transport', role: 'group', 'aria-label': 'Playback' },
      this.#play,
      button('One step back', '‹', () => wishes.step(-1)),
      button('One step on', '›', () => wishes.step(1)),
      this.#scrub,
      this.#count,
      this.#speed.node,
    )
  }

  show({
    at,
    steps,
    speed,
    playing,
  }: {
    at: number
    steps: number
    speed: number
    playing: boolean
  }): void {
    const label = playing ? 'Pause' : at >= steps ? 'Play again' : 'Play'
    if (this.#play.getAttribute('aria-label') !== label) {
      this.#play.setAttribute('aria-label', label)
      this.#play.title = label
      this.#play.dataset.sign = playing ? 'pause' : at >= steps ? 'again' : 'play'
    }
    this.#scrub.max = `${steps}`
    this.#scrub.value = `${at}`
    say(this.#count, `${at} / ${steps}`)
    this.#speed.show(`${speed}`)
  }
}
