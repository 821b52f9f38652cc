import { scaleLinear } from 'd3-scale'
import { drawBottomAxis, drawLeftAxis } from '../canvas/axes.ts'
import type { DrawTarget } from '../canvas/canvas-layer.ts'
import { type CanvasPoint, tracePath } from '../canvas/lines.ts'
import { drawMarker, seriesStyles } from '../canvas/markers.ts'

const margins = { top: 12, right: 14, bottom: 26, left: 40 }

/** Points [step, value] of a line. */
export type Line = readonly (readonly [step: number, value: number])[]

/** A line chart over the steps. */
export interface LineChart {
  readonly steps: number
  readonly range: readonly [low: number, high: number]
  readonly format: (value: number) => string
  /** Per optimizer, the raw values in faint and the averaged ones in bold. */
  readonly series: readonly { readonly faint: Line; readonly bold: Line }[]
}

export function drawLineChart(
  target: DrawTarget,
  { steps, range, format, series }: LineChart,
): void {
  const { context, width, height, palette } = target
  const x = scaleLinear([0, steps], [margins.left, width - margins.right])
  const y = scaleLinear(range, [height - margins.bottom, margins.top])
  drawLeftAxis(
    target,
    margins,
    y.ticks(5).map((value) => ({ at: y(value), text: format(value) })),
  )
  drawBottomAxis(
    target,
    margins,
    x.ticks(5).map((step) => ({ at: x(step), text: `${step}` })),
  )
  const toCanvas = ([step, value]: Line[number]): CanvasPoint => [
    x(step),
    y(Math.min(value, range[1])),
  ]
  const drawLine = (line: Line): void => {
    context.beginPath()
    tracePath(context, line.map(toCanvas))
    context.stroke()
  }
  for (const [i, { faint, bold }] of series.entries()) {
    context.save()
    context.strokeStyle = palette.series[i]
    context.lineJoin = 'round'
    context.lineWidth = 1
    context.globalAlpha = 0.25
    drawLine(faint)
    context.globalAlpha = 1
    context.lineWidth = 2.25
    context.setLineDash([...seriesStyles[i].dash])
    drawLine(bold)
    context.restore()
  }
  for (const [i, { bold }] of series.entries()) {
    const last = bold[bold.length - 1]
    if (!last) continue
    const style = { r: 5, fill: palette.series[i], outline: palette.surface }
    drawMarker(context, seriesStyles[i], toCanvas(last), style)
  }
}
