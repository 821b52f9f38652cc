import { minimaOf } from '@diffgrad/testing/landscapes'
import { type ScaleLinear, scaleLinear } from 'd3-scale'
import type { Course } from '../race/course.ts'
import { drawingOrder, type Scene, wayOf } from '../race/scene.ts'
import { drawNote } from './axes.ts'
import { contourMap } from './contours.ts'
import { drawMark, headSize, marks } from './mark.ts'
import type { Surface } from './sheet.ts'
import { drawHalo, drawTrail, type Place } from './trail.ts'

/** Where points stand on a canvas; `invert` leads back. */
interface Plane {
  readonly x: ScaleLinear<number, number>
  readonly y: ScaleLinear<number, number>
}

export const planeOf = (
  { window: [across, upwards] }: Course,
  width: number,
  height: number,
): Plane => ({
  x: scaleLinear(across, [0, width]),
  y: scaleLinear(upwards, [height, 0]),
})

/** The picture of a landscape without racers, kept until the course, the size or the colours change. */
export class Backdrop {
  #key = ''
  readonly #canvas = document.createElement('canvas')
  readonly #filled: boolean

  /** @param filled - whether heights are shown by colours too, not by lines alone. */
  constructor(filled = true) {
    this.#filled = filled
  }

  draw(surface: Surface, course: Course): void {
    const { context, width, height, scale, ink } = surface
    const key = [course.title, width, height, scale, ink.deep].join()
    if (key !== this.#key) {
      this.#key = key
      this.#canvas.width = width * scale
      this.#canvas.height = height * scale
      const own = this.#canvas.getContext('2d')
      if (own) paintLandscape({ ...surface, context: own }, course, this.#filled)
    }
    context.drawImage(this.#canvas, 0, 0, width, height)
  }
}

/** Paints filled contours, with the minima. */
function paintLandscape(surface: Surface, course: Course, filled: boolean): void {
  const { context, width, height, scale, ink } = surface
  const { polygons, columns, rows } = contourMap(course.landscape, course.window, height / width)
  const colour = scaleLinear<string>([0, polygons.length - 1], [ink.deep, ink.high])
  context.setTransform(scale, 0, 0, scale, 0, 0)
  if (filled) {
    context.fillStyle = ink.deep
    context.fillRect(0, 0, width, height)
  }
  for (const [level, { coordinates }] of polygons.entries()) {
    context.beginPath()
    for (const ring of coordinates.flat()) {
      for (const [k, [i, j]] of ring.entries()) {
        const [x, y] = [(i / columns) * (width + 4) - 2, (j / rows) * (height + 4) - 2]
        if (k === 0) context.moveTo(x, y)
        else context.lineTo(x, y)
      }
      context.closePath()
    }
    context.fillStyle = colour(level)
    if (filled) context.fill()
    context.lineWidth = 0.75
    context.strokeStyle = ink.contour
    context.stroke()
  }
  const plane = planeOf(course, width, height)
  for (const [x, y] of minimaOf(course.landscape)) {
    drawTarget(surface, [plane.x(x), plane.y(y)])
  }
}

/** A small cross where a minimum is. */
function drawTarget({ context, ink }: Surface, [x, y]: Place): void {
  for (const [width, colour] of [
    [4, ink.paper],
    [1.75, ink.text],
  ] as const) {
    context.lineWidth = width
    context.strokeStyle = colour
    context.lineCap = 'round'
    context.beginPath()
    for (const [dx, dy] of [
      [4.5, 4.5],
      [4.5, -4.5],
    ]) {
      context.moveTo(x - dx, y - dy)
      context.lineTo(x + dx, y + dy)
    }
    context.stroke()
  }
}

/** Draws a function of two variables with the racers and their trails on it. */
export function drawContour(surface: Surface, scene: Scene, backdrop: Backdrop): void {
  const { context, width, height, ink } = surface
  const { course, descents, position, start, selected } = scene
  backdrop.draw(surface, course)
  const plane = planeOf(course, width, height)
  const placed = ([x, y]: readonly number[]): Place => [plane.x(x), plane.y(y)]
  const ways = descents.map((descent) => wayOf(descent, position).map(placed))
  for (const places of ways) {
    drawHalo(context, places, { colour: ink.paper, width: 4.5 })
  }
  for (const i of drawingOrder(scene)) {
    const places = ways[i]
    const look = { colour: ink.racers[i], dash: marks[i].dash }
    drawTrail(context, places, { ...look, width: i === selected ? 2.75 : 2 })
  }
  const [x, y] = placed(start)
  context.lineWidth = 1.5
  context.strokeStyle = ink.text
  context.beginPath()
  context.arc(x, y, 5, 0, 2 * Math.PI)
  context.stroke()
  drawNote(surface, 'start', [x + 10, y - 8], { colour: ink.text })
  for (const [order, i] of drawingOrder(scene).entries()) {
    const head = placed(descents[i].between(position))
    if (!head.every(Number.isFinite)) continue
    drawMark(context, marks[i], head, {
      r: headSize(order),
      fill: ink.racers[i],
      outline: ink.paper,
    })
  }
}
