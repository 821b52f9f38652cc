import { CanvasLayer, type DrawTarget } from '../canvas/canvas-layer.ts'
import { drawMarker, seriesStyles } from '../canvas/markers.ts'
import { element } from './element.ts'

/** A chart with a heading. */
export interface Chart {
  readonly node: HTMLElement
  readonly layer: CanvasLayer
}

/** @param className - the CSS class of the canvas. */
export function chart(
  title: string,
  paint: (target: DrawTarget) => void,
  className = 'curve',
): Chart {
  const canvas = element('canvas', { class: className, role: 'img', 'aria-label': title })
  const node = element('section', {}, element('h2', {}, title), canvas)
  return { node, layer: new CanvasLayer(canvas, paint) }
}

/** A sample of the line and marker of the optimizer at an index, for legends. */
export function swatch(index: number): HTMLCanvasElement {
  const canvas = element('canvas', { class: 'swatch', 'aria-hidden': 'true' })
  new CanvasLayer(canvas, ({ context, width, height, palette }) => {
    const fill = palette.series[index]
    context.strokeStyle = fill
    context.lineWidth = 2
    context.setLineDash([...seriesStyles[index].dash])
    context.beginPath()
    context.moveTo(0, height / 2)
    context.lineTo(width, height / 2)
    context.stroke()
    const center = [width / 2, height / 2] as const
    drawMarker(context, seriesStyles[index], center, { r: 5, fill, outline: palette.surface })
  })
  return canvas
}
