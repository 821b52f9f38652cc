import { element } from '../dom/element.ts'
import { Sheet, type Surface } from '../draw/sheet.ts'

/** A drawing with its title. */
export interface Chart {
  readonly node: HTMLElement
  readonly sheet: Sheet
}

export function chart(title: string, paint: (surface: Surface) => void): Chart {
  const canvas = element('canvas', { class: 'curve', role: 'img', 'aria-label': title })
  const node = element('section', {}, element('h2', {}, title), canvas)
  return { node, sheet: new Sheet(canvas, paint) }
}
