import type { Histogram } from '@diffgrad/arrays'
import { drawHairline, drawLabel } from '../canvas/axes.ts'
import type { DrawTarget } from '../canvas/canvas-layer.ts'
import { formatPowerOfTen } from '../format.ts'

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
