import { element } from '../dom/element.ts'
import type { NumberField } from './number-field.ts'

const [lowest, highest] = [-4, 0]

/** A learning rate, by hand on a logarithmic scale or typed. */
export function rateSlider(name: string, choose: (rate: number) => void): NumberField {
  const slider = element('input', {
    type: 'range',
    min: lowest,
    max: highest,
    step: 0.05,
    'aria-label': `learning rate of ${name}, power of ten`,
    oninput: () => choose(Number((10 ** slider.valueAsNumber).toPrecision(2))),
  })
  const typed = element('input', {
    type: 'number',
    name: 'learningRate',
    min: 0,
    step: 'any',
    inputmode: 'decimal',
    'aria-label': `learning rate of ${name}`,
    onchange: () => {
      if (typed.valueAsNumber >= 0 && Number.isFinite(typed.valueAsNumber)) {
        choose(typed.valueAsNumber)
      }
    },
  })
  return {
    node: element(
      'div',
      { class: 'rate' },
      element('span', { 'aria-hidden': 'true' }, 'α'),
      slider,
      typed,
    ),
    show(rate: number): void {
      if (document.activeElement !== slider) slider.value = `${Math.log10(Math.max(rate, 1e-9))}`
      typed.value = `${rate}`
    },
  }
}
