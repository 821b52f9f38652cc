import { element } from '../dom/element.ts'

/** A labelled number that can be typed. */
export interface NumberField {
  readonly node: HTMLElement
  show(value: number): void
}

/** @param choose - is told what was typed, if it is a number. */
export function numberField(
  label: string,
  { name, min, max, whole = false }: { name: string; min?: number; max?: number; whole?: boolean },
  choose: (value: number) => void,
): NumberField {
  const input = element('input', {
    type: 'number',
    name,
    min,
    max,
    step: whole ? 1 : 'any',
    inputmode: whole ? 'numeric' : 'decimal',
    onchange: () => {
      const value = input.valueAsNumber
      if (Number.isNaN(value)) return
      choose(Math.min(Math.max(whole ? Math.round(value) : value, min ?? value), max ?? value))
    },
  })
  const text = element('span', {}, label)
  return {
    node: element('label', { class: 'number' }, text, input),
    show(value) {
      if (document.activeElement !== input || input.valueAsNumber !== value)
        input.value = `${value}`
    },
  }
}
