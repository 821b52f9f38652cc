import { element } from '../dom/element.ts'
import { stories } from '../race/stories.ts'

/** The list of stories. */
export class StoryList {
  readonly node: HTMLElement
  readonly #buttons: ReadonlyMap<string, HTMLButtonElement>

  constructor(tell: (story: string) => void) {
    this.#buttons = new Map(
      Object.entries(stories).map(([name, { title }]) => [
        name,
        element('button', { type: 'button', 'data-story': name, onclick: () => tell(name) }, title),
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
        if (!button.hasAttribute('aria-current')) reveal(button)
        button.setAttribute('aria-current', 'true')
      } else button.removeAttribute('aria-current')
    }
  }
}

/** Where the list is a row that scrolls, brings a story into it. */
function reveal(button: HTMLElement): void {
  requestAnimationFrame(() => {
    const row = button.closest('ol')
    if (row) row.scrollTo({ left: button.offsetLeft - (row.clientWidth - button.offsetWidth) / 2 })
  })
}
