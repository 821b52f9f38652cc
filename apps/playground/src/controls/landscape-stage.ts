import { element } from '../dom/element.ts'
import { Backdrop, drawContour, planeOf } from '../draw/contour.ts'
import { alongOf, drawCurve } from '../draw/curve.ts'
import { Sheet } from '../draw/sheet.ts'
import { pointFigure } from '../race/figures.ts'
import type { Scene } from '../race/scene.ts'

/** By what part of the window an arrow key moves the start. */
const nudge = 1 / 40

const arrows: Readonly<Record<string, readonly [axis: number, direction: number]>> = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowDown: [1, -1],
  ArrowUp: [1, 1],
}

/** The landscape with the racers on it. A click, a drag or the arrow keys move the start. */
export class LandscapeStage {
  readonly node: HTMLCanvasElement
  readonly #sheet: Sheet
  #scene: Scene | undefined

  constructor(start: (point: readonly number[]) => void) {
    const backdrop = new Backdrop()
    this.node = element('canvas', {
      class: 'landscape',
      tabindex: 0,
      role: 'application',
      'aria-roledescription': 'landscape',
    })
    this.#sheet = new Sheet(this.node, (surface) => {
      if (!this.#scene) return
      if (this.#scene.course.window.length === 1) drawCurve(surface, this.#scene)
      else drawContour(surface, this.#scene, backdrop)
    })
    const follow = (event: PointerEvent): void => {
      const point = this.#pointAt(event)
      if (point) start(point)
    }
    this.node.addEventListener('pointerdown', (event) => {
      this.node.setPointerCapture(event.pointerId)
      follow(event)
    })
    this.node.addEventListener('pointermove', (event) => {
      if (this.node.hasPointerCapture(event.pointerId)) follow(event)
    })
    this.node.addEventListener('keydown', (event) => {
      const arrow = arrows[event.key]
      const window = this.#scene?.course.window[arrow?.[0] ?? 0]
      if (!arrow || !window || !this.#scene) return
      event.preventDefault()
      const [axis, direction] = arrow
      const moved = this.#scene.start.map((x, i) =>
        i === axis ? rounded(x + direction * nudge * (window[1] - window[0]), window) : x,
      )
      start(moved)
    })
  }

  show(scene: Scene): void {
    this.#scene = scene
    this.#sheet.draw()
    const axes = scene.start.length === 1 ? 'left and right arrow keys' : 'arrow keys'
    const label = `${scene.course.title}. All optimizers start at ${pointFigure(scene.start)}; ${axes} move the start.`
    if (this.node.getAttribute('aria-label') !== label) this.node.setAttribute('aria-label', label)
  }

  #pointAt(event: PointerEvent): readonly number[] | undefined {
    if (!this.#scene) return undefined
    const { course } = this.#scene
    const { left, top, width, height } = this.node.getBoundingClientRect()
    const [x, y] = [event.clientX - left, event.clientY - top]
    if (course.window.length === 1)
      return [rounded(alongOf(course, width).invert(x), course.window[0])]
    const plane = planeOf(course, width, height)
    return [
      rounded(plane.x.invert(x), course.window[0]),
      rounded(plane.y.invert(y), course.window[1]),
    ]
  }
}

/** A coordinate with as many digits as a hand can place, inside the window. */
function rounded(x: number, [low, high]: readonly [number, number]): number {
  const unit = 10 ** Math.floor(Math.log10((high - low) / 500))
  return Number((Math.round(Math.min(Math.max(x, low), high) / unit) * unit).toPrecision(6))
}
