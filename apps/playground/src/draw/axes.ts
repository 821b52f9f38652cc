import type { Surface } from './sheet.ts'

/** The room around a chart's own area, in pixels. */
export interface Margins {
  readonly top: number
  readonly right: number
  readonly bottom: number
  readonly left: number
}

/** Where a value stands, and how it is written. */
export interface Tick {
  readonly at: number
  readonly text: string
}

const font = (ink: Surface['ink'], size = 12): string => `${size}px ${ink.font}`

/** Draws ticks under a chart, with faint lines through it. */
export function drawBottomAxis(
  { context, width, height, ink }: Surface,
  { top, right, bottom, left }: Margins,
  ticks: readonly Tick[],
  title?: string,
): void {
  context.save()
  context.font = font(ink)
  context.textAlign = 'center'
  context.textBaseline = 'top'
  context.fillStyle = ink.muted
  for (const { at, text } of ticks) {
    drawLine(context, ink.line, [at, top], [at, height - bottom])
    const half = context.measureText(text).width / 2
    const x = Math.min(Math.max(at, left + half - 4), width - right - half + 4)
    context.fillText(text, x, height - bottom + 6)
  }
  if (title !== undefined) {
    context.textAlign = 'right'
    context.fillText(title, width - right, height - bottom + 20)
  }
  context.restore()
}

/** Draws ticks left of a chart, with faint lines through it. */
export function drawLeftAxis(
  { context, width, ink }: Surface,
  { right, left }: Margins,
  ticks: readonly Tick[],
): void {
  context.save()
  context.font = font(ink)
  context.textAlign = 'right'
  context.textBaseline = 'middle'
  context.fillStyle = ink.muted
  for (const { at, text } of ticks) {
    drawLine(context, ink.line, [left, at], [width - right, at])
    context.fillText(text, left - 6, at)
  }
  context.restore()
}

/** Draws a hair line. */
export function drawLine(
  context: CanvasRenderingContext2D,
  colour: string,
  [x1, y1]: readonly [number, number],
  [x2, y2]: readonly [number, number],
): void {
  context.strokeStyle = colour
  context.lineWidth = 1
  context.setLineDash([])
  context.beginPath()
  context.moveTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5)
  context.lineTo(Math.round(x2) + 0.5, Math.round(y2) + 0.5)
  context.stroke()
}

/** Draws a small text. */
export function drawNote(
  { context, ink }: Surface,
  text: string,
  [x, y]: readonly [number, number],
  {
    align = 'left',
    colour = ink.muted,
    size = 12,
  }: { align?: CanvasTextAlign; colour?: string; size?: number } = {},
): void {
  context.save()
  context.font = font(ink, size)
  context.textAlign = align
  context.textBaseline = 'alphabetic'
  context.fillStyle = colour
  context.fillText(text, x, y)
  context.restore()
}
