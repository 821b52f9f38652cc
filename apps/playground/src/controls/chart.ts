import { element } from '../dom/element.ts'
import { Sheet, type Surface } from '../draw/sheet.ts'

/** A drawing with its title. */
export interface Chart {
  readonly node: HTMLElement
  readonly sheet: Sheet
}

/** @param kind - the class by which style sheets know it. */
export function chart(title: string, paint: (surface: Surface) => void, kind = 'curve'): Chart {
  const canvas = element('canvas', { class: kind, role: 'img', 'aria-label': title })
  const node = element('section', {}, element('h2', {}, title), canvas)
  return { node, sheet: new Sheet(canvas, paint) }
}
