import { element } from '../dom/element.ts'
import { labelsOf } from '../optimizers/labels.ts'
import { type Racer, racer } from '../optimizers/racer.ts'
import { type RacerCard, racerCard } from './racer-card.ts'

/** What a list of racers is told, and what it tells. */
export interface ListWishes {
  readonly of: () => readonly Racer[]
  change(racers: readonly Racer[]): void
  readonly fewest: number
  readonly most: number
  readonly scalable: boolean
}

/** The cards of all racers. Cards stay as they are while only options change, focus and all. */
export class RacerList {
  readonly node: HTMLElement
  readonly #wishes: ListWishes
  readonly #list = element('ol', { class: 'racers' })
  readonly #add: HTMLButtonElement
  #cards: readonly RacerCard[] = []
  #names = ''

  constructor(wishes: ListWishes) {
    this.#wishes = wishes
    this.#add = element(
      'button',
      { type: 'button', class: 'quiet add', onclick: () => this.#enter() },
      '+ Add an optimizer',
    )
    this.node = element('div', { class: 'field' }, this.#list, this.#add)
  }

  show(racers: readonly Racer[]): void {
    const names = racers.map(({ name }) => name).join()
    if (names !== this.#names) {
      this.#names = names
      this.#cards = racers.map((_, i) => this.#card(i))
      this.#list.replaceChildren(...this.#cards.map(({ node }) => node))
    }
    const labels = labelsOf(racers)
    for (const [i, card] of this.#cards.entries()) card.show(racers[i], labels[i])
    this.#add.hidden = racers.length >= this.#wishes.most
  }

  tell(figures: readonly string[]): void {
    for (const [i, card] of this.#cards.entries()) card.tell(figures[i] ?? '')
  }

  #card(index: number): RacerCard {
    const { of, change, fewest, scalable } = this.#wishes
    return racerCard(index, {
      of: () => of()[index],
      change: (racer) => change(of().with(index, racer)),
      scalable,
      ...(of().length > fewest && { remove: () => change(of().toSpliced(index, 1)) }),
    })
  }

  #enter(): void {
    const racers = this.#wishes.of()
    const last = racers[racers.length - 1]
    const rate = last.options.learningRate
    this.#wishes.change([
      ...racers,
      racer('radam', rate === undefined ? {} : { learningRate: rate }),
    ])
  }
}
