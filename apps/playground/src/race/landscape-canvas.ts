import { CanvasLayer } from '../canvas/canvas-layer.ts'
import { ContourMap, planeScales } from '../canvas/contour-map.ts'
import { formatPoint } from '../format.ts'
import type { Interval } from '../landscapes.ts'
import { element } from '../ui/element.ts'
import { curveScale, drawContourRace, drawCurveRace } from './landscape-drawing.ts'
import type { Scene } from './scene.ts'

/** How far an arrow key moves the start, as a share of the window. */
const arrowStep = 1 / 40

const arrowKeys: Readonly<Record<string, readonly [axis: number, direction: number]>> = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowDown: [1, -1],
  ArrowUp: [1, 1],
}

/** The canvas of the race. Click, drag or arrow keys move the start. */
export class LandscapeCanvas {
  readonly node: HTMLCanvasElement
  readonly #layer: CanvasLayer
  #scene: Scene | undefined

  constructor(onStartChange: (start: readonly number[]) => void) {
    const contours = new ContourMap()
    this.node = element('canvas', {
      class: 'landscape',
      tabindex: 0,
      role: 'application',
      'aria-roledescription': 'landscape',
    })
    this.#layer = new CanvasLayer(this.node, (target) => {
      if (!this.#scene) return
      if (this.#scene.view.window.length === 1) drawCurveRace(target, this.#scene)
      else drawContourRace(target, this.#scene, contours)
    })
    const moveToPointer = (event: PointerEvent): void => {
      const point = this.#pointAt(event)
      if (point) onStartChange(point)
    }
    this.node.addEventListener('pointerdown', (event) => {
      this.node.setPointerCapture(event.pointerId)
      moveToPointer(event)
    })
    this.node.addEventListener('pointermove', (event) => {
      if (this.node.hasPointerCapture(event.pointerId)) moveToPointer(event)
    })
    this.node.addEventListener('keydown', (event) => {
      const arrow = arrowKeys[event.key]
      const interval = this.#scene?.view.window[arrow?.[0] ?? 0]
      if (!arrow || !interval || !this.#scene) return
      event.preventDefault()
      const [axis, direction] = arrow
      const distance = direction * arrowStep * (interval[1] - interval[0])
      const { start } = this.#scene
      onStartChange(start.with(axis, roundInside(start[axis] + distance, interval)))
    })
  }

  show(scene: Scene): void {
    this.#scene = scene
    this.#layer.draw()
    const keys = scene.start.length === 1 ? 'left and right arrow keys' : 'arrow keys'
    const label = `${scene.view.title}. All optimizers start at ${formatPoint(scene.start)}; ${keys} move the start.`
    if (this.node.getAttribute('aria-label') !== label) this.node.setAttribute('aria-label', label)
  }

  /** The point of the landscape under the pointer. */
  #pointAt(event: PointerEvent): readonly number[] | undefined {
    if (!this.#scene) return undefined
    const { view } = this.#scene
    const { left, top, width, height } = this.node.getBoundingClientRect()
    const [x, y] = [event.clientX - left, event.clientY - top]
    const { window } = view
    if (window.length === 1) return [roundInside(curveScale(view, width).invert(x), window[0])]
    const scales = planeScales(view, width, height)
    return [roundInside(scales.x.invert(x), window[0]), roundInside(scales.y.invert(y), window[1])]
  }
}

/** Clamps a coordinate to an interval, and rounds it to about one pixel. */
function roundInside(x: number, [low, high]: Interval): number {
  const unit = 10 ** Math.floor(Math.log10((high - low) / 500))
  return Number((Math.round(Math.min(Math.max(x, low), high) / unit) * unit).toPrecision(6))
}
