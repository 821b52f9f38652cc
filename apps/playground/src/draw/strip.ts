import { scaleLinear } from 'd3-scale'
import { drawLine, drawNote } from './axes.ts'
import type { Surface } from './sheet.ts'
import { type Place, tracePath } from './trail.ts'

/** Numbers of one name against the step: one line an axis of the landscape, the second one dashed. */
export interface Strip {
  /** From step 1 on; each has one number an axis. */
  readonly values: readonly (readonly number[])[]
  /** Where the values must lie, if that is known. */
  readonly range: readonly [low: number, high: number] | undefined
  /** A level that says something, such as ξ = ½. */
  readonly level: number | undefined
  readonly steps: number
  readonly colour: string
}

/** Draws a strip as wide as the canvas. */
export function drawStrip(surface: Surface, { values, range, level, steps, colour }: Strip): void {
  const { context, width, height, ink } = surface
  const finite = values.flat().filter(Number.isFinite)
  const [low, high] = range ?? [Math.min(0, ...finite), Math.max(0, ...finite)]
  const x = scaleLinear([1, Math.max(steps, 2)], [1, width - 34])
  const y = scaleLinear(low === high ? [low - 1, high + 1] : [low, high], [height - 5, 5])
  const base = level ?? 0
  if (base >= y.domain()[0] && base <= y.domain()[1]) {
    drawLine(context, ink.line, [0, y(base)], [width - 34, y(base)])
    drawNote(surface, level === undefined ? '0' : written(level), [width - 28, y(base) + 4])
  }
  for (const axis of values[0]?.keys() ?? []) {
    context.beginPath()
    tracePath(
      context,
      values.map((value, i): Place => [x(i + 1), y(value[axis])]),
    )
    context.setLineDash(axis === 0 ? [] : [3, 3])
    context.lineWidth = 1.75
    context.lineJoin = 'round'
    context.strokeStyle = colour
    context.stroke()
  }
  context.setLineDash([])
  const last = values[values.length - 1]
  for (const value of last ?? []) {
    context.beginPath()
    context.arc(x(values.length), y(value), 3, 0, 2 * Math.PI)
    context.fillStyle = colour
    context.fill()
  }
}

const written = (level: number): string => (level === 0.5 ? '½' : `${level}`)
