import { element, say } from '../dom/element.ts'
import { type EntrantName, field, isEntrant } from '../optimizers/field.ts'
import { optionOf, type Racer, renamed, withOption } from '../optimizers/racer.ts'
import { optionsForm } from './options-form.ts'
import { rateSlider } from './rate-slider.ts'
import { swatch } from './swatch.ts'

/** What the card of a racer asks of the page. */
export interface CardWishes {
  readonly of: () => Racer
  change(racer: Racer): void
  /** Where it can be removed. */
  remove?(): void
  /** Whether its loss can be multiplied. */
  readonly scalable: boolean
}

/** The card of one racer: what it is, where it stands, and all that it can be told. */
export interface RacerCard {
  readonly node: HTMLElement
  /** Shows the racer as it is told now. */
  show(racer: Racer, label: string): void
  /** Where it stands, in words. */
  tell(figures: string): void
}

const names: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(field).map(([name, { title }]) => [name, title]),
)

export function racerCard(index: number, wishes: CardWishes): RacerCard {
  const { of, change, remove, scalable } = wishes
  const label = element('span', { class: 'label' })
  const figures = element('span', { class: 'figures' })
  const name = element('div', { class: 'name' }, swatch(index), label)
  const title = field[of().name].title
  const rate = rateSlider(title, (value) => change(withOption(of(), 'learningRate', value)))
  const kind = element(
    'select',
    {
      name: 'optimizer',
      'aria-label': `optimizer ${index + 1}`,
      onchange: () => {
        if (isEntrant(kind.value)) change(renamed(of(), kind.value))
      },
    },
    ...Object.entries(names).map(([value, text]) => element('option', { value }, text)),
  )
  const form = optionsForm(of, change, { scalable, omit: ['learningRate'] })
  const away = element(
    'button',
    { type: 'button', class: 'quiet', 'aria-label': `remove ${title}`, onclick: () => remove?.() },
    'Remove',
  )
  const details = element(
    'details',
    {},
    element('summary', {}, 'Options'),
    element('div', { class: 'kind' }, kind, remove ? away : undefined),
    form.node,
  )
  return {
    node: element('li', { class: 'racer' }, name, figures, rate.node, details),
    show(racer, text) {
      say(label, text)
      kind.value = racer.name satisfies EntrantName
      rate.show(Number(optionOf(racer, 'learningRate')))
      form.show(racer)
    },
    tell: (text) => say(figures, text),
  }
}
