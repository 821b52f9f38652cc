import type { Course } from '../race/course.ts'
import { isFiniteAt } from '../swarm/summary.ts'
import { nowhere, type Swarm } from '../swarm/swarm.ts'
import { mixed, type Rgb, rgbOf } from './colour.ts'
import type { Backdrop } from './contour.ts'
import type { Ink } from './ink.ts'
import type { Surface } from './sheet.ts'

/** How far a colour fades towards the paper from the first step to the last. */
const fading = 0.88

/** The colour of a start that was at a minimum from a step on. */
const shade = (colour: Rgb, paper: Rgb, step: number, steps: number): Rgb =>
  mixed(colour, paper, fading * Math.sqrt(step / steps))

/** A picture of as many pixels as a swarm has starts, to be drawn larger. */
export class Pixels {
  readonly #canvas = document.createElement('canvas')
  readonly #context: CanvasRenderingContext2D
  readonly #image: ImageData
  readonly #side: number

  constructor(side: number) {
    this.#side = side
    this.#canvas.width = side
    this.#canvas.height = side
    const context = this.#canvas.getContext('2d')
    if (!context) throw new Error('pixels: the canvas has no 2D context')
    this.#context = context
    this.#image = context.createImageData(side, side)
  }

  /** Draws a colour for each start over the whole surface. */
  draw({ context, width, height }: Surface, colourAt: (i: number) => Rgb): void {
    const { data } = this.#image
    for (let i = 0; i < this.#side ** 2; i++) {
      const [r, g, b] = colourAt(i)
      data[4 * i] = r
      data[4 * i + 1] = g
      data[4 * i + 2] = b
      data[4 * i + 3] = 255
    }
    this.#context.putImageData(this.#image, 0, 0)
    context.imageSmoothingEnabled = false
    context.drawImage(this.#canvas, 0, 0, width, height)
  }
}

/** Draws every start in the colour of the minimum that it is at, the stronger the sooner it came. */
export function drawMap(
  surface: Surface,
  swarm: Swarm,
  { course, steps }: { readonly course: Course; readonly steps: number },
  { pixels, lines }: { readonly pixels: Pixels; readonly lines: Backdrop },
): void {
  const { ink } = surface
  const paper = rgbOf(ink.paper)
  const lost = rgbOf(ink.lost)
  const none = mixed(lost, rgbOf(ink.text), 0.55)
  const colours = homeColours(ink)
  const table = colours.map((colour) =>
    Array.from({ length: steps + 1 }, (_, step) => shade(colour, paper, step, steps)),
  )
  pixels.draw(surface, (i) => {
    const at = swarm.home[i]
    if (at !== nowhere) return table[at][Math.min(swarm.arrived[i], steps)]
    return isFiniteAt(swarm.points, swarm.size, i) ? lost : none
  })
  lines.draw(surface, course)
}

/** The colours of the minima, in order. */
const homeColours = (ink: Ink): readonly Rgb[] => [0, 1, 2, 3].map((i) => rgbOf(ink.racers[i]))
