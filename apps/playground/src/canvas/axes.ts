import type { DrawTarget } from './canvas-layer.ts'

/** Space around the plot area of a chart, in CSS pixels. */
export interface Margins {
  readonly top: number
  readonly right: number
  readonly bottom: number
  readonly left: number
}

/** A tick: its position in CSS pixels along the axis, and its label. */
export interface Tick {
  readonly at: number
  readonly text: string
}

const font = ({ font }: DrawTarget['palette'], size = 12): string => `${size}px ${font}`

/** Draws a horizontal axis below the plot area, with vertical grid lines. */
export function drawBottomAxis(
  { context, width, height, palette }: DrawTarget,
  { top, right, bottom, left }: Margins,
  ticks: readonly Tick[],
): void {
  context.save()
  context.font = font(palette)
  context.textAlign = 'center'
  context.textBaseline = 'top'
  context.fillStyle = palette.muted
  for (const { at, text } of ticks) {
    drawHairline(context, palette.line, [at, top], [at, height - bottom])
    const half = context.measureText(text).width / 2
    const x = Math.min(Math.max(at, left + half - 4), width - right - half + 4)
    context.fillText(text, x, height - bottom + 6)
  }
  context.restore()
}

/** Draws a vertical axis left of the plot area, with horizontal grid lines. */
export function drawLeftAxis(
  { context, width, palette }: DrawTarget,
  { right, left }: Margins,
  ticks: readonly Tick[],
): void {
  context.save()
  context.font = font(palette)
  context.textAlign = 'right'
  context.textBaseline = 'middle'
  context.fillStyle = palette.muted
  for (const { at, text } of ticks) {
    drawHairline(context, palette.line, [left, at], [width - right, at])
    context.fillText(text, left - 6, at)
  }
  context.restore()
}

/** Draws a line one pixel wide. */
export function drawHairline(
  context: CanvasRenderingContext2D,
  color: string,
  [x1, y1]: readonly [number, number],
  [x2, y2]: readonly [number, number],
): void {
  context.strokeStyle = color
  context.lineWidth = 1
  context.setLineDash([])
  context.beginPath()
  context.moveTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5)
  context.lineTo(Math.round(x2) + 0.5, Math.round(y2) + 0.5)
  context.stroke()
}

/** Draws a text label with its baseline at a position. */
export function drawLabel(
  { context, palette }: DrawTarget,
  text: string,
  [x, y]: readonly [number, number],
  {
    align = 'left',
    color = palette.muted,
    size = 12,
  }: { align?: CanvasTextAlign; color?: string; size?: number } = {},
): void {
  context.save()
  context.font = font(palette, size)
  context.textAlign = align
  context.textBaseline = 'alphabetic'
  context.fillStyle = color
  context.fillText(text, x, y)
  context.restore()
}
