import type { Course } from '../race/course.ts'
import type { Swarm } from '../swarm/swarm.ts'
import { mixed, type Rgb, rgbOf } from './colour.ts'
import { type Backdrop, planeOf } from './contour.ts'
import type { Ink } from './ink.ts'
import type { Surface } from './sheet.ts'

/** More members than this on one dot look like this many. */
const most = 32

/** The picture of a swarm, kept to be drawn again. */
export class Cloud {
  readonly #canvas = document.createElement('canvas')

  /** Draws all members of a swarm where they are; where there are many, stronger. */
  draw(surface: Surface, swarm: Swarm, course: Course, backdrop: Backdrop): void {
    const { context, width, height, ink } = surface
    backdrop.draw(surface, course)
    const [columns, rows] = [Math.ceil(width), Math.ceil(height)]
    this.#canvas.width = columns
    this.#canvas.height = rows
    const own = this.#canvas.getContext('2d')
    if (!own) return
    const image = own.createImageData(columns, rows)
    const shades = shadesOf(ink)
    for (const [dot, count] of countsOf(swarm, course, columns, rows).entries()) {
      if (count === 0) continue
      const [r, g, b] = shades[Math.min(count, most)]
      image.data[4 * dot] = r
      image.data[4 * dot + 1] = g
      image.data[4 * dot + 2] = b
      image.data[4 * dot + 3] = 255
    }
    own.putImageData(image, 0, 0)
    context.imageSmoothingEnabled = false
    context.drawImage(this.#canvas, 0, 0, columns, rows)
  }
}

/** How many members are on each dot. */
function countsOf(
  { points, size }: Swarm,
  course: Course,
  columns: number,
  rows: number,
): Uint16Array {
  const plane = planeOf(course, columns, rows)
  const counts = new Uint16Array(columns * rows)
  for (let i = 0; i < size; i++) {
    const [x, y] = [Math.floor(plane.x(points[i])), Math.floor(plane.y(points[size + i]))]
    if (x >= 0 && x < columns && y >= 0 && y < rows) counts[y * columns + x]++
  }
  return counts
}

/** A colour for each count. */
function shadesOf(ink: Ink): readonly Rgb[] {
  const strong = rgbOf(ink.text)
  const faint = mixed(rgbOf(ink.racers[0]), rgbOf(ink.paper), 0.35)
  return Array.from({ length: most + 1 }, (_, n) =>
    mixed(faint, strong, Math.min(1, Math.log2(1 + n) / 5)),
  )
}
