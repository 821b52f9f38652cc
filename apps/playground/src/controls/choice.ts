import { element } from '../dom/element.ts'

/** A labelled list of which one is chosen. */
export interface Choice {
  readonly node: HTMLElement
  show(value: string): void
}

/** @param entries - values, and what they are called. */
export function choice(
  label: string,
  name: string,
  entries: Readonly<Record<string, string>>,
  choose: (value: string) => void,
): Choice {
  const options = Object.entries(entries).map(([value, text]) => element('option', { value }, text))
  const select = element('select', { name, onchange: () => choose(select.value) }, ...options)
  return {
    node: element('label', { class: 'choice' }, element('span', {}, label), select),
    show(value) {
      select.value = value
    },
  }
}

/** A labelled box that is ticked or not. */
export interface Tick {
  readonly node: HTMLElement
  show(value: boolean): void
}

export function tick(label: string, name: string, choose: (value: boolean) => void): Tick {
  const box = element('input', { type: 'checkbox', name, onchange: () => choose(box.checked) })
  return {
    node: element('label', { class: 'tick' }, box, element('span', {}, label)),
    show(value: boolean): void {
      box.checked = value
    },
  }
}
