/** What keys do that are pressed nowhere in particular. */
export type KeyActions = Readonly<Record<string, () => void>>

/** Whether an element has a use of its own for keys. */
const busy = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  target.closest('input, select, textarea, button, summary, a') !== null

/** Carries out actions by key, unless the focus is where keys mean something else. */
export function followKeys(actions: () => KeyActions): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || busy(event.target)) return
    const action = actions()[event.key]
    if (!action) return
    event.preventDefault()
    action()
  })
}
