import { landscapeViews } from '../landscapes.ts'
import type { RaceState } from '../state.ts'
import { element, setText } from '../ui/element.ts'
import { stories } from './stories.ts'
import type { Trajectory } from './trajectory.ts'

/** The menu of stories. */
export class StoryMenu {
  readonly node: HTMLElement
  readonly #buttons: ReadonlyMap<string, HTMLButtonElement>

  constructor(onSelect: (story: string) => void) {
    this.#buttons = new Map(
      Object.entries(stories).map(([name, { title }]) => [
        name,
        element(
          'button',
          { type: 'button', 'data-story': name, onclick: () => onSelect(name) },
          title,
        ),
      ]),
    )
    const items = [...this.#buttons.values()].map((button) => element('li', {}, button))
    this.node = element(
      'nav',
      { class: 'stories', 'aria-label': 'Stories' },
      element('h2', {}, 'Stories'),
      element('ol', {}, ...items),
    )
  }

  show(story: string | undefined): void {
    for (const [name, button] of this.#buttons) {
      if (name === story) {
        if (!button.hasAttribute('aria-current')) scrollIntoRow(button)
        button.setAttribute('aria-current', 'true')
      } else button.removeAttribute('aria-current')
    }
  }
}

/** Centers a story in the menu where the menu is a scrolling row. */
function scrollIntoRow(button: HTMLElement): void {
  requestAnimationFrame(() => {
    const row = button.closest('ol')
    if (row) row.scrollTo({ left: button.offsetLeft - (row.clientWidth - button.offsetWidth) / 2 })
  })
}

/** The text of the current story: title, claim and facts above the race, the explanation below it. */
export class StoryText {
  readonly header: HTMLElement
  readonly outcome: HTMLElement
  readonly explanation: HTMLElement = element('p', { class: 'explanation' })
  readonly #position = element('p', { class: 'story-position' })
  readonly #title = element('h1', {})
  readonly #claim = element('p', { class: 'claim' })
  readonly #facts = element('ul', { class: 'facts' })
  #shownFacts = ''

  constructor() {
    this.header = element('header', { class: 'intro' }, this.#position, this.#title, this.#claim)
    this.outcome = element(
      'section',
      { class: 'outcome', 'aria-live': 'polite', 'aria-label': 'What happened' },
      this.#facts,
    )
  }

  /** A race that is not a story shows the description of its landscape. */
  show(
    { landscape: name, steps, currentStep, story: storyName }: RaceState,
    trajectories: readonly Trajectory[],
  ): void {
    const view = landscapeViews[name]
    const { landscape } = view
    const names = Object.keys(stories)
    const story = storyName === undefined ? undefined : stories[storyName]
    setText(
      this.#position,
      story ? `Story ${names.indexOf(storyName ?? '') + 1} of ${names.length}` : 'Your own race',
    )
    setText(this.#title, story?.title ?? view.title)
    setText(this.#claim, story?.claim ?? `${view.description} f = ${landscape.equation}`)
    this.outcome.hidden = story === undefined
    this.explanation.hidden = story === undefined
    setText(this.explanation, story?.explanation ?? '')
    const finished = currentStep >= steps
    const facts = (story?.facts ?? []).map(({ text, holds }) => {
      const outcome = finished ? (holds(trajectories, { steps, landscape }) ? 'yes' : 'no') : 'open'
      return { text, outcome } as const
    })
    const shown = JSON.stringify(facts)
    if (this.#shownFacts === shown) return // Screen readers would announce the same facts again.
    this.#shownFacts = shown
    this.#facts.replaceChildren(
      ...facts.map(({ text, outcome }) => {
        const prefix = { yes: 'True: ', no: 'False: ', open: 'Not yet known: ' }[outcome]
        const hidden = element('span', { class: 'visually-hidden' }, prefix)
        return element('li', { 'data-outcome': outcome }, hidden, text)
      }),
    )
  }
}
