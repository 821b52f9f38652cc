import { element } from '../dom/element.ts'
import { drawMark, marks } from '../draw/mark.ts'
import { Sheet } from '../draw/sheet.ts'

/** A sample of a racer's line and marker, for legends. */
export function swatch(index: number): HTMLCanvasElement {
  const canvas = element('canvas', { class: 'swatch', 'aria-hidden': 'true' })
  new Sheet(canvas, ({ context, width, height, ink }) => {
    const fill = ink.racers[index]
    context.strokeStyle = fill
    context.lineWidth = 2
    context.setLineDash([...marks[index].dash])
    context.beginPath()
    context.moveTo(0, height / 2)
    context.lineTo(width, height / 2)
    context.stroke()
    const middle = [width / 2, height / 2] as const
    drawMark(context, marks[index], middle, { r: 5, fill, outline: ink.paper })
  })
  return canvas
}
