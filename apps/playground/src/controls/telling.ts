import { element, say } from '../dom/element.ts'
import { courses } from '../race/course.ts'
import type { Descent } from '../race/descent.ts'
import type { RaceState } from '../race/race-state.ts'
import { stories } from '../race/stories.ts'

/** What is being shown, in words: the story's claim at its start, and at its end what came of it. */
export class Telling {
  readonly head: HTMLElement
  readonly verdict: HTMLElement
  readonly #kicker = element('p', { class: 'kicker' })
  readonly #title = element('h1', {})
  readonly #claim = element('p', { class: 'claim' })
  readonly #facts = element('ul', { class: 'facts' })
  readonly #because = element('p', { class: 'because' })

  constructor() {
    this.head = element('header', { class: 'telling' }, this.#kicker, this.#title, this.#claim)
    this.verdict = element(
      'section',
      { class: 'verdict', 'aria-live': 'polite', 'aria-label': 'What happened' },
      this.#facts,
      this.#because,
    )
  }

  show(state: RaceState, descents: readonly Descent[]): void {
    const { course: on, steps, at } = state
    const course = courses[on]
    const story = state.story === undefined ? undefined : stories[state.story]
    const { landscape } = course
    say(
      this.#kicker,
      story
        ? `Story ${Object.keys(stories).indexOf(state.story ?? '') + 1} of ${Object.keys(stories).length}`
        : 'Your own race',
    )
    say(this.#title, story?.title ?? course.title)
    say(this.#claim, story?.claim ?? `${course.about} f = ${landscape.equation}`)
    this.verdict.hidden = story === undefined
    say(this.#because, story?.because ?? '')
    const over = at >= steps
    const lines = (story?.facts ?? []).map(({ text, holds }) => {
      const outcome = over ? (holds(descents, { steps, landscape }) ? 'yes' : 'no') : 'open'
      return { text, outcome }
    })
    const key = lines.map(({ text, outcome }) => outcome + text).join()
    if (this.#facts.dataset.key === key) return
    this.#facts.dataset.key = key
    this.#facts.replaceChildren(
      ...lines.map(({ text, outcome }) => {
        const words = { yes: 'Seen: ', no: 'Not seen: ', open: 'To be seen: ' }[outcome]
        const hidden = element('span', { class: 'for-readers' }, words)
        return element('li', { 'data-outcome': outcome }, hidden, text)
      }),
    )
  }
}
