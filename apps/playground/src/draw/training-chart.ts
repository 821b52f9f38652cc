import { scaleLinear } from 'd3-scale'
import type { Progress } from '../train/record.ts'
import { drawBottomAxis, drawLeftAxis } from './axes.ts'
import { drawMark, marks } from './mark.ts'
import type { Surface } from './sheet.ts'
import { type Place, tracePath } from './trail.ts'

const margins = { top: 12, right: 14, bottom: 26, left: 40 }

/** Lines of figures against the step. */
export interface Lines {
  readonly steps: number
  readonly range: readonly [low: number, high: number]
  /** How a figure is written. */
  readonly text: (value: number) => string
  /** For each racer, what is faint and what is drawn on it. */
  readonly of: readonly { readonly faint: readonly Place[]; readonly bold: readonly Place[] }[]
}

/** Draws lines of each racer. */
export function drawLines(surface: Surface, { steps, range, text, of }: Lines): void {
  const { context, width, height, ink } = surface
  const x = scaleLinear([0, steps], [margins.left, width - margins.right])
  const y = scaleLinear(range, [height - margins.bottom, margins.top])
  drawLeftAxis(
    surface,
    margins,
    y.ticks(5).map((value) => ({ at: y(value), text: text(value) })),
  )
  drawBottomAxis(
    surface,
    margins,
    x.ticks(5).map((step) => ({ at: x(step), text: `${step}` })),
  )
  const line = (places: readonly Place[]): void => {
    context.beginPath()
    tracePath(
      context,
      places.map(([step, value]) => [x(step), y(Math.min(value, range[1]))]),
    )
    context.stroke()
  }
  for (const [i, { faint, bold }] of of.entries()) {
    context.save()
    context.strokeStyle = ink.racers[i]
    context.lineJoin = 'round'
    context.lineWidth = 1
    context.globalAlpha = 0.25
    line(faint)
    context.globalAlpha = 1
    context.lineWidth = 2.25
    context.setLineDash([...marks[i].dash])
    line(bold)
    context.restore()
  }
  for (const [i, { bold }] of of.entries()) {
    const last = bold[bold.length - 1]
    if (!last) continue
    const place = [x(last[0]), y(Math.min(last[1], range[1]))] as const
    drawMark(context, marks[i], place, { r: 5, fill: ink.racers[i], outline: ink.paper })
  }
}

/** The losses of a training. */
export function lossLines(runs: readonly Progress[], steps: number): Lines {
  const highest = Math.max(2.5, ...runs.flatMap(({ smooth }) => smooth))
  const numbered = (values: readonly number[]): readonly Place[] =>
    values.map((value, i): Place => [i + 1, value])
  return {
    steps,
    range: [0, Math.min(highest, 5)],
    text: (value) => `${value}`,
    of: runs.map(({ losses, smooth }) => ({ faint: numbered(losses), bold: numbered(smooth) })),
  }
}

/** The accuracies of a training. */
export const accuracyLines = (runs: readonly Progress[], steps: number): Lines => ({
  steps,
  range: [0, 1],
  text: (value) => `${Math.round(100 * value)} %`,
  of: runs.map(({ accuracies }) => ({ faint: [], bold: accuracies })),
})
