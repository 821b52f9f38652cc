/** A child of an element; `undefined` is skipped. */
type Child = Node | string | undefined

/** Attributes by name, and event listeners by `on…`. `false` and `undefined` are skipped. */
type Attributes = Readonly<
  Record<string, string | number | boolean | undefined | ((event: Event) => void)>
>

/** Creates an element. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') node.addEventListener(name.slice(2), value)
    else if (value !== undefined && value !== false) {
      node.setAttribute(name, value === true ? '' : `${value}`)
    }
  }
  node.append(...children.filter((child) => child !== undefined))
  return node
}

/** Sets the text of an element if it differs, so that screen readers do not announce it again. */
export function setText(node: HTMLElement, text: string): void {
  if (node.textContent !== text) node.textContent = text
}
