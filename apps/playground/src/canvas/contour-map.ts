import { type Landscape, minimaOf } from '@diffgrad/testing/landscapes'
import { type ContourMultiPolygon, contours } from 'd3-contour'
import { type ScaleLinear, scaleLinear } from 'd3-scale'
import { type Interval, type LandscapeView, lossAboveMinimum } from '../landscapes.ts'
import type { DrawTarget } from './canvas-layer.ts'
import type { CanvasPoint } from './lines.ts'

/** Scales from landscape coordinates to canvas pixels; `invert` leads back. */
interface PlaneScales {
  readonly x: ScaleLinear<number, number>
  readonly y: ScaleLinear<number, number>
}

/** The scales that fit the window of a landscape of two variables to a canvas. */
export const planeScales = (
  { window: [xs, ys] }: LandscapeView,
  width: number,
  height: number,
): PlaneScales => ({
  x: scaleLinear(xs, [0, width]),
  y: scaleLinear(ys, [height, 0]),
})

/** The contour map of a landscape, cached as an image until landscape, size or colors change. */
export class ContourMap {
  #key = ''
  readonly #canvas = document.createElement('canvas')
  readonly #filled: boolean

  /** @param filled - fill the levels with colors, instead of drawing lines alone. */
  constructor(filled = true) {
    this.#filled = filled
  }

  draw(target: DrawTarget, view: LandscapeView): void {
    const { context, width, height, scale, palette } = target
    const key = [view.title, width, height, scale, palette.terrainLow].join()
    if (key !== this.#key) {
      this.#key = key
      this.#canvas.width = width * scale
      this.#canvas.height = height * scale
      const cache = this.#canvas.getContext('2d')
      if (cache) paintLandscape({ ...target, context: cache }, view, this.#filled)
    }
    context.drawImage(this.#canvas, 0, 0, width, height)
  }
}

/** Paints the contours of a landscape, and a cross on each global minimum. */
function paintLandscape(target: DrawTarget, view: LandscapeView, filled: boolean): void {
  const { context, width, height, scale, palette } = target
  const { polygons, columns, rows } = contourPolygons(view.landscape, view.window, height / width)
  const levelColor = scaleLinear<string>(
    [0, polygons.length - 1],
    [palette.terrainLow, palette.terrainHigh],
  )
  context.setTransform(scale, 0, 0, scale, 0, 0)
  if (filled) {
    context.fillStyle = palette.terrainLow
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
    context.fillStyle = levelColor(level)
    if (filled) context.fill()
    context.lineWidth = 0.75
    context.strokeStyle = palette.contour
    context.stroke()
  }
  const { x, y } = planeScales(view, width, height)
  for (const minimum of minimaOf(view.landscape)) drawCross(target, [x(minimum[0]), y(minimum[1])])
}

function drawCross({ context, palette }: DrawTarget, [x, y]: CanvasPoint): void {
  for (const [width, color] of [
    [4, palette.surface],
    [1.75, palette.text],
  ] as const) {
    context.lineWidth = width
    context.strokeStyle = color
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

/** Columns of the grid on which a landscape is sampled. */
const columns = 120
const levels = 18

/** The contours of a landscape, lowest level first, in units of grid cells. */
interface ContourPolygons {
  readonly polygons: readonly ContourMultiPolygon[]
  readonly columns: number
  readonly rows: number
}

/**
 * Computes contours at levels that are evenly spaced on a logarithmic scale, so that valleys show as
 * well as walls.
 *
 * @param aspect - height divided by width of the drawing.
 */
function contourPolygons(
  landscape: Landscape,
  [[left, right], [bottom, top]]: readonly Interval[],
  aspect: number,
): ContourPolygons {
  const rows = Math.round(columns * aspect)
  const heights = new Array<number>(columns * rows)
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) {
      const x = left + ((right - left) * (i + 0.5)) / columns
      const y = top + ((bottom - top) * (j + 0.5)) / rows
      heights[j * columns + i] = lossAboveMinimum(landscape, [x, y])
    }
  }
  const sorted = heights.toSorted((a, b) => a - b)
  const highest = sorted[sorted.length - 1]
  // Heights below the lowest fortieth share one level.
  const offset = Math.max(sorted[Math.floor(sorted.length / 40)], highest / 1e4)
  const logs = heights.map((height) => Math.log(height + offset))
  const [low, high] = [Math.log(offset), Math.log(highest + offset)]
  const thresholds = Array.from({ length: levels }, (_, k) => low + ((high - low) * k) / levels)
  return { polygons: contours().size([columns, rows]).thresholds(thresholds)(logs), columns, rows }
}
