/** What may stand inside an element; `undefined` leaves nothing. */
export type Child = Node | string | undefined

/** Attributes by name, and listeners by `on…`. `false` and `undefined` leave an attribute out. */
type Attributes = Readonly<
  Record<string, string | number | boolean | undefined | ((event: Event) => void)>
>

/** Makes an element. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name.slice(2), value)
    else if (value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? '' : `${value}`)
    }
  }
  made.append(...children.filter((child) => child !== undefined))
  return made
}

/** Writes a text where it has changed, so that readers of the page are not told the same again. */
export function say(node: HTMLElement, text: string): void {
  if (node.textContent !== text) node.textContent = text
}
