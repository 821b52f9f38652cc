import { element, say } from '../dom/element.ts'
import { drawFriction } from '../draw/friction-chart.ts'
import { Sheet } from '../draw/sheet.ts'
import { hasFriction, type Racer } from '../optimizers/racer.ts'
import type { Progress } from '../train/record.ts'
import { swatch } from './swatch.ts'

/** The friction that one racer's last step used, over all weights of the network. */
export class FrictionPanel {
  readonly node: HTMLElement
  readonly #label = element('h2', {})
  readonly #words = element('p', { class: 'hint' })
  readonly #canvas = element('canvas', { class: 'friction', role: 'img' })
  readonly #sheet: Sheet
  #progress: Progress | undefined

  constructor(index: number) {
    this.#sheet = new Sheet(this.#canvas, (surface) => {
      const histogram = this.#progress?.friction
      if (histogram) drawFriction(surface, histogram, surface.ink.racers[index])
    })
    const head = element('header', {}, swatch(index), this.#label)
    this.node = element('section', { class: 'friction-panel' }, head, this.#canvas, this.#words)
  }

  show(racer: Racer, label: string, progress: Progress): void {
    this.#progress = progress
    say(this.#label, `ξ of ${label}`)
    const words = inWords(racer, progress.friction?.mean)
    say(this.#words, words)
    this.#canvas.hidden = !hasFriction(racer)
    this.#canvas.setAttribute('aria-label', words)
    this.#sheet.draw()
  }
}

function inWords(racer: Racer, mean: number | undefined): string {
  if (!hasFriction(racer)) return 'No friction here: as if every ξ were 1.'
  return mean === undefined
    ? 'How often each friction occurs among the weights, once training begins.'
    : `mean ξ ${mean.toFixed(5)}, over all weights, at the last step`
}
