import {
  configure,
  type OptimizerConfig,
  optionValue,
  withOptimizer,
  withOption,
} from '../optimizers/config.ts'
import { optimizerLabels } from '../optimizers/option-text.ts'
import { optimizers } from '../optimizers/registry.ts'
import { swatch } from './chart.ts'
import { element, setText } from './element.ts'
import { learningRateField } from './form-controls.ts'
import { optionsForm } from './options-form.ts'

interface ListOptions {
  /** Returns the configs that are shown. */
  readonly current: () => readonly OptimizerConfig[]
  onChange(configs: readonly OptimizerConfig[]): void
  /** The allowed number of optimizers. */
  readonly min: number
  readonly max: number
  /** Whether the loss scale can be set. */
  readonly scalable: boolean
}

/** An editable list of optimizers. Its cards are kept, with the focus, while only options change. */
export class OptimizerList {
  readonly node: HTMLElement
  readonly #options: ListOptions
  readonly #list = element('ol', { class: 'optimizer-list' })
  readonly #addButton: HTMLButtonElement
  #cards: readonly OptimizerCard[] = []
  #names = ''

  constructor(options: ListOptions) {
    this.#options = options
    this.#addButton = element(
      'button',
      { type: 'button', class: 'quiet add', onclick: () => this.#add() },
      '+ Add an optimizer',
    )
    this.node = element(
      'section',
      { class: 'optimizers' },
      element('h2', {}, 'Optimizers'),
      element('div', {}, this.#list, this.#addButton),
    )
  }

  show(configs: readonly OptimizerConfig[]): void {
    const names = configs.map(({ name }) => name).join()
    if (names !== this.#names) {
      this.#names = names
      this.#cards = configs.map((_, i) => this.#card(i))
      this.#list.replaceChildren(...this.#cards.map(({ node }) => node))
    }
    const labels = optimizerLabels(configs)
    for (const [i, card] of this.#cards.entries()) card.show(configs[i], labels[i])
    this.#addButton.hidden = configs.length >= this.#options.max
  }

  /** Shows a text on each card, such as the current loss. */
  showStatus(texts: readonly string[]): void {
    for (const [i, card] of this.#cards.entries()) card.showStatus(texts[i] ?? '')
  }

  #card(index: number): OptimizerCard {
    const { current, onChange, min, scalable } = this.#options
    return optimizerCard(index, {
      current: () => current()[index],
      onChange: (config) => onChange(current().with(index, config)),
      scalable,
      ...(current().length > min && { onRemove: () => onChange(current().toSpliced(index, 1)) }),
    })
  }

  #add(): void {
    const configs = this.#options.current()
    const { learningRate } = configs[configs.length - 1].options
    const added = configure('radam', learningRate === undefined ? {} : { learningRate })
    this.#options.onChange([...configs, added])
  }
}

interface OptimizerCard {
  readonly node: HTMLElement
  show(config: OptimizerConfig, label: string): void
  showStatus(text: string): void
}

const titles: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(optimizers).map(([name, { title }]) => [name, title]),
)

/** One optimizer with its status, its learning rate and its options. */
function optimizerCard(
  index: number,
  {
    current,
    onChange,
    onRemove,
    scalable,
  }: {
    readonly current: () => OptimizerConfig
    onChange(config: OptimizerConfig): void
    /** Missing where the optimizer cannot be removed. */
    onRemove?(): void
    readonly scalable: boolean
  },
): OptimizerCard {
  const label = element('span', { class: 'label' })
  const status = element('span', { class: 'optimizer-status' })
  const name = element('div', { class: 'name' }, swatch(index), label)
  const { title } = optimizers[current().name]
  const learningRate = learningRateField(title, (value) =>
    onChange(withOption(current(), 'learningRate', value)),
  )
  const select = element(
    'select',
    {
      name: 'optimizer',
      'aria-label': `optimizer ${index + 1}`,
      onchange: () => onChange(withOptimizer(current(), select.value)),
    },
    ...Object.entries(titles).map(([value, text]) => element('option', { value }, text)),
  )
  const form = optionsForm(current, onChange, { scalable })
  const removeButton = element(
    'button',
    {
      type: 'button',
      class: 'quiet',
      'aria-label': `remove ${title}`,
      onclick: () => onRemove?.(),
    },
    'Remove',
  )
  const details = element(
    'details',
    {},
    element('summary', {}, 'Options'),
    element('div', { class: 'optimizer-choice' }, select, onRemove ? removeButton : undefined),
    form.node,
  )
  return {
    node: element('li', { class: 'optimizer-card' }, name, status, learningRate.node, details),
    show(config, text) {
      setText(label, text)
      select.value = config.name
      learningRate.show(Number(optionValue(config, 'learningRate')))
      form.show(config)
    },
    showStatus: (text) => setText(status, text),
  }
}
