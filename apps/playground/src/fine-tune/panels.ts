import { formatPercent } from '../format.ts'
import { element, setText } from '../ui/element.ts'
import type { Task } from './examples.ts'
import type { ClassifiedExample, ExamplesSummary, ModelSummary } from './session.ts'
import type { Prediction } from './transformers.ts'

/** What is known of a model, in words. */
export function describeModel({ name, task, labels, weights, notes }: ModelSummary): string {
  const classes =
    labels.length === 0 ? 'no named classes' : `${labels.length} classes: ${short(labels)}`
  const reads = task === 'image' ? 'sees pictures' : 'reads texts'
  return [`${name} ${reads}; ${weights.toLocaleString('en')} weights, ${classes}.`, ...notes].join(
    ' ',
  )
}

/** What is known of examples, in words. */
export const describeExamples = ({ task, classes, problems }: ExamplesSummary): string =>
  [
    `${classes.reduce((sum, { count }) => sum + count, 0)} ${task === 'image' ? 'pictures' : 'texts'}: ${short(classes.map(({ label, count }) => `${label} (${count})`))}.`,
    ...problems.map((problem) => `${problem}.`),
  ].join(' ')

const short = (list: readonly string[]): string =>
  list.length > 10 ? `${list.slice(0, 8).join(', ')} and ${list.length - 8} more` : list.join(', ')

/** Shows pictures and texts. The addresses of pictures are released when others take their place. */
class ContentView {
  #addresses: string[] = []

  clear(): void {
    for (const address of this.#addresses) URL.revokeObjectURL(address)
    this.#addresses = []
  }

  /** @param alt - describes a picture. */
  node(content: Blob | string, alt: string): HTMLElement {
    if (typeof content === 'string') return element('blockquote', {}, content)
    const address = URL.createObjectURL(content)
    this.#addresses.push(address)
    return element('img', { src: address, alt })
  }
}

/** Some of the examples. */
export class SamplesPanel {
  readonly node: HTMLElement = element('div', { class: 'samples' })
  readonly #view = new ContentView()

  show({ samples, task }: ExamplesSummary): void {
    this.#view.clear()
    const every = Math.ceil(samples.length / 4)
    const shown = task === 'image' ? samples : samples.filter((_, i) => i % every === 0)
    this.node.replaceChildren(
      ...shown.map(({ content, name }) => this.#view.node(content, name.replace(/\/.*/, ''))),
    )
  }
}

/** What the trained model predicts. */
class PredictionPanel {
  readonly node: HTMLElement = element('div', { class: 'prediction', 'aria-live': 'polite' })
  readonly #view = new ContentView()

  clear(): void {
    this.#view.clear()
    this.node.replaceChildren()
  }

  show(content: Blob | string, predictions: readonly Prediction[], label?: string): void {
    this.#view.clear()
    const rows = predictions.slice(0, 5).map(({ label, score }) => {
      const bar = element('i', {})
      bar.style.width = `${100 * score}%`
      return element(
        'li',
        {},
        element('span', { class: 'label' }, label),
        element('span', { class: 'share' }, formatPercent(score)),
        element('span', { class: 'bar', 'aria-hidden': 'true' }, bar),
      )
    })
    const truth =
      label === undefined ? undefined : element('p', { class: 'hint' }, `Its class: ${label}`)
    this.node.replaceChildren(
      element('div', {}, this.#view.node(content, 'the classified picture'), truth),
      element('ol', {}, ...rows),
    )
  }
}

interface ResultActions {
  onExample(): Promise<ClassifiedExample>
  onClassify(input: Blob | string): Promise<readonly Prediction[]>
  onZip(): Promise<void>
  /** Missing where the browser cannot write folders. */
  onFolder?(): Promise<void>
}

/** The trained model: tried, and taken home. */
export class ResultPanel {
  readonly node: HTMLElement
  readonly #predictions = new PredictionPanel()
  readonly #error = element('p', { class: 'warning', role: 'alert' })
  readonly #text = element('input', { type: 'text', name: 'text', autocomplete: 'off' })
  readonly #textForm: HTMLElement
  readonly #pictureForm: HTMLElement

  constructor({ onExample, onClassify, onZip, onFolder }: ResultActions) {
    const act = (action: () => Promise<void>): void => {
      setText(this.#error, '')
      action().catch((error) => setText(this.#error, messageOf(error)))
    }
    const classify = (input: Blob | string): void =>
      act(async () => this.#predictions.show(input, await onClassify(input)))
    const example = (): Promise<void> =>
      onExample().then(({ content, label, predictions }) =>
        this.#predictions.show(content, predictions, label),
      )
    this.#textForm = element(
      'form',
      {
        class: 'form-row',
        onsubmit: (event) => {
          event.preventDefault()
          if (this.#text.value.trim() !== '') classify(this.#text.value)
        },
      },
      element('label', { class: 'text-field' }, element('span', {}, 'A text of yours'), this.#text),
      element('button', { type: 'submit' }, 'Classify'),
    )
    const picture = element('input', {
      type: 'file',
      class: 'visually-hidden',
      accept: 'image/*',
      onchange: () => {
        const [file] = picture.files ?? []
        picture.value = ''
        if (file) classify(file)
      },
    })
    this.#pictureForm = element(
      'label',
      { class: 'button' },
      picture,
      element('span', {}, 'Classify a picture of yours'),
    )
    const button = (label: string, action: () => Promise<void>, name: string): HTMLElement =>
      element('button', { type: 'button', class: name, onclick: () => act(action) }, label)
    this.node = element(
      'section',
      { class: 'card result' },
      element('h2', {}, '3. The result'),
      element(
        'div',
        { class: 'form-row' },
        button('Classify an example held out', example, 'held-out'),
        this.#pictureForm,
      ),
      this.#textForm,
      this.#predictions.node,
      element(
        'div',
        { class: 'form-row' },
        button('Download the folder (.zip)', onZip, 'zip'),
        onFolder && button('Save to a folder', onFolder, 'folder'),
      ),
      element(
        'p',
        { class: 'hint' },
        'The folder is a model of transformers.js; ',
        element('code', {}, "pipeline('…-classification', folder)"),
        ' loads it, here, in other pages and in Node. The predictions above are made by it.',
      ),
      this.#error,
    )
  }

  /** Removes the predictions of an earlier training. */
  clear(): void {
    this.#predictions.clear()
    setText(this.#error, '')
  }

  show(task: Task): void {
    this.#textForm.hidden = task !== 'text'
    this.#pictureForm.hidden = task !== 'image'
  }
}

/** The message of anything thrown. */
export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : `${error}`
