import { type ScaleLinear, scaleLinear, scalePow } from 'd3-scale'
import { type Course, excess } from '../race/course.ts'
import { drawingOrder, type Scene, wayOf } from '../race/scene.ts'
import { drawBottomAxis, drawLine, drawNote } from './axes.ts'
import { drawMark, headSize, marks } from './mark.ts'
import type { Surface } from './sheet.ts'
import { drawTrail, type Place, tracePath } from './trail.ts'

const margins = { top: 16, right: 16, bottom: 26, left: 16 }

/** Part of the height that the curve takes; below it the ways are unrolled, time running down. */
const share = 0.5

/** The x that a place on the canvas stands for, and back. */
export const alongOf = (
  { window: [[left, right]] }: Course,
  width: number,
): ScaleLinear<number, number> => scaleLinear([left, right], [margins.left, width - margins.right])

/** Draws a function of one variable with the racers on it, and under it where they were at each step. */
export function drawCurve(surface: Surface, scene: Scene): void {
  const { context, width, height, ink } = surface
  const { course, descents, position, steps } = scene
  const along = alongOf(course, width)
  const [left, right] = along.domain()
  const count = 400
  const xs = Array.from({ length: count + 1 }, (_, i) => left + ((right - left) * i) / count)
  const heights = xs.map((x) => excess(course.landscape, [x]))
  const floor = margins.top + share * (height - margins.top - margins.bottom)
  const up = scalePow([0, Math.max(...heights)], [floor - 14, margins.top + 14])
    .exponent(course.bend)
    .clamp(false)
  const down = scaleLinear([0, steps], [floor + 22, height - margins.bottom - 8])

  const ticks = along.ticks(6).map((x) => ({ at: along(x), text: along.tickFormat(6)(x) }))
  drawBottomAxis(surface, { ...margins, top: floor }, ticks)
  const [bottom] = course.landscape.minimum
  context.save()
  context.globalAlpha = 0.7
  drawLine(context, ink.muted, [along(bottom), up(0)], [along(bottom), height - margins.bottom])
  context.restore()
  drawNote(surface, 'where each one was, step by step', [margins.left, floor + 14])

  const curve = xs.map((x, i): Place => [along(x), up(heights[i])])
  context.beginPath()
  tracePath(context, [[along(left), floor], ...curve, [along(right), floor]])
  context.fillStyle = ink.deep
  context.fill()
  context.beginPath()
  tracePath(context, curve)
  context.lineWidth = 1.5
  context.strokeStyle = ink.text
  context.stroke()
  drawNote(surface, 'global minimum', [along(bottom), floor - 3], { align: 'center', size: 11 })

  context.save()
  context.beginPath()
  context.rect(0, 0, width, height - margins.bottom + 4)
  context.clip()
  for (const [order, i] of drawingOrder(scene).entries()) {
    const colour = ink.racers[i]
    const way = wayOf(descents[i], position)
    const unrolled = way.map(([x], t): Place => [along(x), down(Math.min(t, position))])
    drawTrail(context, unrolled, { colour, dash: marks[i].dash, width: 2 })
    const [x] = way[way.length - 1]
    const look = { fill: colour, outline: ink.paper }
    if (!Number.isFinite(x)) continue
    drawMark(context, marks[i], [along(x), down(position)], { r: 4, ...look })
    const y = Math.max(up(excess(course.landscape, [x])), margins.top)
    drawMark(context, marks[i], [along(x), y - 9], { r: headSize(order), ...look })
  }
  context.restore()
}
