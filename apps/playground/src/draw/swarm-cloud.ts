import type { Course } from '../race/course.ts'
import type { Swarm } from '../swarm/swarm.ts'
import { mixed, rgbOf } from './colour.ts'
import { type Backdrop, planeOf } from './contour.ts'
import type { Surface } from './sheet.ts'

/** Draws all members of a swarm where they are; where there are many, darker. */
export function drawCloud(
  surface: Surface,
  swarm: Swarm,
  course: Course,
  backdrop: Backdrop,
): void {
  const { context, width, height, scale, ink } = surface
  backdrop.draw(surface, course)
  const plane = planeOf(course, width, height)
  const [columns, rows] = [Math.ceil(width), Math.ceil(height)]
  const counts = new Uint16Array(columns * rows)
  const { points, size } = swarm
  for (let i = 0; i < size; i++) {
    const [x, y] = [Math.floor(plane.x(points[i])), Math.floor(plane.y(points[size + i]))]
    if (x >= 0 && x < columns && y >= 0 && y < rows) counts[y * columns + x]++
  }
  const strong = rgbOf(ink.text)
  const faint = mixed(rgbOf(ink.racers[0]), rgbOf(ink.paper), 0.35)
  const shades = Array.from({ length: 33 }, (_, n) =>
    mixed(faint, strong, Math.min(1, Math.log2(1 + n) / 5)),
  )
  for (let k = 0; k < counts.length; k++) {
    if (counts[k] === 0) continue
    const [r, g, b] = shades[Math.min(counts[k], 32)]
    context.fillStyle = `rgb(${r} ${g} ${b})`
    const dot = Math.max(1, 1 / scale)
    context.fillRect(k % columns, Math.floor(k / columns), dot, dot)
  }
}
