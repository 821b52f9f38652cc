import { element } from '../dom/element.ts'
import { labelsOf } from '../optimizers/labels.ts'
import type { Racer } from '../optimizers/racer.ts'
import { swatch } from './swatch.ts'

/** Which racer is which; a click selects the one whose inside is shown. */
export class RacerKey {
  readonly node: HTMLElement = element('ul', {
    class: 'key',
    'aria-label': 'Optimizers in the race',
  })
  readonly #select: (index: number) => void
  #labels = ''

  constructor(select: (index: number) => void) {
    this.#select = select
  }

  show(racers: readonly Racer[], selected: number): void {
    const labels = labelsOf(racers)
    if (this.#labels !== labels.join()) {
      this.#labels = labels.join()
      const items = labels.map((label, i) => {
        const attributes = { type: 'button', onclick: () => this.#select(i) }
        return element('li', {}, element('button', attributes, swatch(i), label))
      })
      this.node.replaceChildren(...items)
    }
    for (const [i, button] of this.node.querySelectorAll('button').entries()) {
      button.setAttribute('aria-pressed', `${i === selected}`)
    }
  }
}
