import type { Histogram } from '@diffgrad/arrays'
import { scaleLinear } from 'd3-scale'
import { drawBottomAxis, drawHairline, drawLabel, drawLeftAxis } from '../canvas/axes.ts'
import type { DrawTarget } from '../canvas/canvas-layer.ts'
import { type CanvasPoint, tracePath } from '../canvas/lines.ts'
import { drawMarker, seriesStyles } from '../canvas/markers.ts'
import { formatPowerOfTen } from '../format.ts'
import type { OptimizerProgress } from './progress.ts'

const margins = { top: 12, right: 14, bottom: 26, left: 40 }

/** Points [step, value] of a line. */
type Line = readonly (readonly [step: number, value: number])[]

/** A line chart over the steps. */
export interface LineChart {
  readonly steps: number
  readonly range: readonly [low: number, high: number]
  readonly format: (value: number) => string
  /** Per optimizer, the raw values in faint and the averaged ones in bold. */
  readonly series: readonly { readonly faint: Line; readonly bold: Line }[]
}

/** Losses per batch in faint, their running averages in bold. */
export function lossLines(progress: readonly OptimizerProgress[], steps: number): LineChart {
  const highest = Math.max(2.5, ...progress.flatMap(({ averagedLosses }) => averagedLosses))
  const byStep = (values: readonly number[]): Line => values.map((value, i) => [i + 1, value])
  return {
    steps,
    range: [0, Math.min(highest, 5)],
    format: (value) => `${value}`,
    series: progress.map(({ losses, averagedLosses }) => ({
      faint: byStep(losses),
      bold: byStep(averagedLosses),
    })),
  }
}

export const accuracyLines = (
  progress: readonly OptimizerProgress[],
  steps: number,
): LineChart => ({
  steps,
  range: [0, 1],
  format: (value) => `${Math.round(100 * value)} %`,
  series: progress.map(({ accuracies }) => ({ faint: [], bold: accuracies })),
})

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

const histogramMargins = { top: 8, right: 4, bottom: 24, left: 4 }

/** Draws the histogram of ξ with bars of equal width, whatever the width of their bins. */
export function drawFrictionHistogram(
  target: DrawTarget,
  { counts, edges }: Histogram,
  color: string,
): void {
  const { context, width, height, palette } = target
  const { top, right, bottom, left } = histogramMargins
  const highest = Math.max(...counts, 1)
  const barWidth = (width - left - right) / counts.length
  const axis = height - bottom
  drawHairline(context, palette.border, [left, axis], [width - right, axis])
  context.fillStyle = color
  for (const [i, count] of counts.entries()) {
    const barHeight = (count / highest) * (axis - top)
    context.fillRect(left + i * barWidth + 1, axis - barHeight, barWidth - 2, barHeight)
  }
  let labelsEnd = 0
  for (const [i, edge] of edges.entries()) {
    const text = edgeLabel(edge)
    const [textWidth, x] = [6.5 * (text?.length ?? 0), left + i * barWidth]
    const align = i === 0 ? 'left' : i === edges.length - 1 ? 'right' : 'center'
    const from = x - { left: 0, center: textWidth / 2, right: textWidth }[align]
    if (text === undefined || from < labelsEnd) continue
    labelsEnd = from + textWidth
    drawLabel(target, text, [x, height - 8], { align, size: 11 })
  }
}

/** The label of a bin edge; undefined for all but whole numbers, ½, and every second power of ten from it. */
function edgeLabel(edge: number): string | undefined {
  const distance = edge - 0.5
  if (distance === 0) return '½'
  if (edge < 1e-3) return '0'
  if (Math.abs(edge - Math.round(edge)) < 1e-5) return `${Math.round(edge)}`
  const power = Math.log10(Math.abs(distance))
  const exponent = Math.round(power)
  if (Math.abs(power - exponent) > 1e-6 || exponent % 2 !== 0) return undefined
  return `½ ${distance < 0 ? '−' : '+'} ${formatPowerOfTen(exponent)}`
}
