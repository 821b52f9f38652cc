import { element } from './element.ts'

/** A labelled form control. */
export interface Control<V> {
  readonly node: HTMLElement
  /** Sets the value without calling `onChange`. */
  show(value: V): void
}

/**
 * @param choices - the titles of the choices, by their values.
 * @param options.labelHidden - show the label to screen readers only.
 */
export function selectField(
  label: string,
  name: string,
  choices: Readonly<Record<string, string>>,
  onChange: (value: string) => void,
  { labelHidden = false }: { readonly labelHidden?: boolean } = {},
): Control<string> {
  const select = element(
    'select',
    { name, onchange: () => onChange(select.value) },
    ...Object.entries(choices).map(([value, text]) => element('option', { value }, text)),
  )
  return {
    node: element(
      'label',
      { class: 'select-field' },
      element('span', { class: labelHidden && 'visually-hidden' }, label),
      select,
    ),
    show(value) {
      select.value = value
    },
  }
}

export function checkboxField(
  label: string,
  name: string,
  onChange: (checked: boolean) => void,
): Control<boolean> {
  const box = element('input', { type: 'checkbox', name, onchange: () => onChange(box.checked) })
  return {
    node: element('label', { class: 'checkbox-field' }, box, element('span', {}, label)),
    show(checked) {
      box.checked = checked
    },
  }
}

/** @param onChange - gets numbers only, clamped to the range and rounded if `whole`. */
export function numberField(
  label: string,
  { name, min, max, whole = false }: { name: string; min?: number; max?: number; whole?: boolean },
  onChange: (value: number) => void,
): Control<number> {
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
      onChange(Math.min(Math.max(whole ? Math.round(value) : value, min ?? value), max ?? value))
    },
  })
  return {
    node: element('label', { class: 'number-field' }, element('span', {}, label), input),
    show(value) {
      if (document.activeElement !== input || input.valueAsNumber !== value) {
        input.value = `${value}`
      }
    },
  }
}

/** The range of the slider, as powers of ten. */
const [lowestRate, highestRate] = [-4, 0]

/** A learning rate: a slider with a logarithmic scale, and a number field. */
export function learningRateField(
  optimizer: string,
  onChange: (rate: number) => void,
): Control<number> {
  const slider = element('input', {
    type: 'range',
    min: lowestRate,
    max: highestRate,
    step: 0.05,
    'aria-label': `learning rate of ${optimizer}, power of ten`,
    oninput: () => onChange(Number((10 ** slider.valueAsNumber).toPrecision(2))),
  })
  const input = element('input', {
    type: 'number',
    name: 'learningRate',
    min: 0,
    step: 'any',
    inputmode: 'decimal',
    'aria-label': `learning rate of ${optimizer}`,
    onchange: () => {
      const rate = input.valueAsNumber
      if (rate >= 0 && Number.isFinite(rate)) onChange(rate)
    },
  })
  const symbol = element('span', { 'aria-hidden': 'true' }, 'α')
  return {
    node: element('div', { class: 'learning-rate' }, symbol, slider, input),
    show(rate) {
      if (document.activeElement !== slider) slider.value = `${Math.log10(Math.max(rate, 1e-9))}`
      input.value = `${rate}`
    },
  }
}
