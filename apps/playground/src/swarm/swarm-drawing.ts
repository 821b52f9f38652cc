import { type ScaleBand, scaleBand } from 'd3-scale'
import { drawLabel } from '../canvas/axes.ts'
import type { DrawTarget } from '../canvas/canvas-layer.ts'
import { type ContourMap, planeScales } from '../canvas/contour-map.ts'
import { mix, type Palette, parseHex, type Rgb, toCss } from '../canvas/palette.ts'
import type { LandscapeView } from '../landscapes.ts'
import { type OptimizerConfig, optionValue } from '../optimizers/config.ts'
import type { SweptBeta } from '../state.ts'
import { isFiniteAt, none, type Swarm } from './swarm.ts'
import { betas, type Cell, isInvalid, rates, sweptOption, sweptSymbol } from './sweep.ts'

/** An image that is drawn pixel by pixel, and kept for the next drawing. */
class PixelImage {
  readonly #canvas = document.createElement('canvas')
  #image: ImageData | undefined

  /**
   * Draws an image without smoothing.
   *
   * @param colorAt - the color of the pixel at an index, row by row; undefined is transparent.
   * @param size - width and height of the drawing, in CSS pixels.
   */
  draw(
    context: CanvasRenderingContext2D,
    [columns, rows]: readonly [columns: number, rows: number],
    colorAt: (i: number) => Rgb | undefined,
    [width, height]: readonly [width: number, height: number],
  ): void {
    this.#canvas.width = columns
    this.#canvas.height = rows
    const own = this.#canvas.getContext('2d')
    if (!own) return
    let image = this.#image
    if (image?.width !== columns || image.height !== rows) {
      image = own.createImageData(columns, rows)
      this.#image = image
    }
    const { data } = image
    for (let i = 0; i < columns * rows; i++) {
      const color = colorAt(i)
      data[4 * i + 3] = color ? 255 : 0
      if (!color) continue
      data[4 * i] = color[0]
      data[4 * i + 1] = color[1]
      data[4 * i + 2] = color[2]
    }
    own.putImageData(image, 0, 0)
    context.imageSmoothingEnabled = false
    context.drawImage(this.#canvas, 0, 0, width, height)
  }
}

/** How far a color fades toward the surface from the first step to the last. */
const fading = 0.88

/** Starts, colored by the minimum they reached: the earlier, the stronger. */
export class SwarmMap {
  readonly #image = new PixelImage()

  /** @param gridSize - the number of rows and columns of the grid of starts. */
  draw(
    target: DrawTarget,
    swarm: Swarm,
    { view, steps, gridSize }: { view: LandscapeView; steps: number; gridSize: number },
    contourLines: ContourMap,
  ): void {
    const { context, width, height, palette } = target
    const surface = parseHex(palette.surface)
    const unreached = parseHex(palette.unreached)
    const diverged = mix(unreached, parseHex(palette.text), 0.55)
    const shades = palette.series.map((hex) => {
      const color = parseHex(hex)
      return Array.from({ length: steps + 1 }, (_, step) =>
        mix(color, surface, fading * Math.sqrt(step / steps)),
      )
    })
    const colorAt = (i: number): Rgb => {
      const minimum = swarm.minimumAt[i]
      if (minimum !== none) return shades[minimum][Math.min(swarm.arrivalStep[i], steps)]
      return isFiniteAt(swarm.points, swarm.size, i) ? unreached : diverged
    }
    this.#image.draw(context, [gridSize, gridSize], colorAt, [width, height])
    contourLines.draw(target, view)
  }
}

/** Pixels with more members than this get the same color. */
const maxDensity = 32

/** The current points of all members: the more in one pixel, the stronger. */
export class SwarmCloud {
  readonly #image = new PixelImage()

  draw(target: DrawTarget, swarm: Swarm, view: LandscapeView, contours: ContourMap): void {
    const { context, width, height, palette } = target
    contours.draw(target, view)
    const [columns, rows] = [Math.ceil(width), Math.ceil(height)]
    const shades = densityShades(palette)
    const counts = countPerPixel(swarm, view, columns, rows)
    const colorAt = (i: number): Rgb | undefined =>
      counts[i] === 0 ? undefined : shades[Math.min(counts[i], maxDensity)]
    this.#image.draw(context, [columns, rows], colorAt, [columns, rows])
  }
}

function countPerPixel(
  { points, size }: Swarm,
  view: LandscapeView,
  columns: number,
  rows: number,
): Uint16Array {
  const scales = planeScales(view, columns, rows)
  const counts = new Uint16Array(columns * rows)
  for (let i = 0; i < size; i++) {
    const [x, y] = [Math.floor(scales.x(points[i])), Math.floor(scales.y(points[size + i]))]
    if (x >= 0 && x < columns && y >= 0 && y < rows) counts[y * columns + x]++
  }
  return counts
}

/** One color per count of members. */
function densityShades(palette: Palette): readonly Rgb[] {
  const strong = parseHex(palette.text)
  const faint = mix(parseHex(palette.series[0]), parseHex(palette.surface), 0.35)
  return Array.from({ length: maxDensity + 1 }, (_, n) =>
    mix(faint, strong, Math.min(1, Math.log2(1 + n) / 5)),
  )
}

const margins = { top: 4, right: 4, bottom: 34, left: 40 }

/** The scales from cells to canvas pixels. */
const sweepScales = (
  width: number,
  height: number,
): { readonly x: ScaleBand<number>; readonly y: ScaleBand<number> } => ({
  x: scaleBand<number>(rates.keys(), [margins.left, width - margins.right]),
  y: scaleBand<number>(betas.keys(), [height - margins.bottom, margins.top]),
})

/** The column and row of the cell at a position; undefined outside of the sweep. */
export function cellAt(
  [left, top]: readonly [number, number],
  width: number,
  height: number,
): { readonly column: number; readonly row: number } | undefined {
  const { x, y } = sweepScales(width, height)
  const column = Math.floor((left - margins.left) / x.bandwidth())
  const row = Math.floor((height - margins.bottom - top) / y.bandwidth())
  const inside = column >= 0 && column < rates.length && row >= 0 && row < betas.length
  return inside ? { column, row } : undefined
}

/** Draws the share of starts that arrive in each cell. Cells with invalid options stay empty. */
export function drawSweep(
  target: DrawTarget,
  cells: readonly Cell[],
  config: OptimizerConfig,
  beta: SweptBeta,
): void {
  const { context, width, height, palette } = target
  const { x, y } = sweepScales(width, height)
  const nobody = mix(parseHex(palette.unreached), parseHex(palette.surface), 0.35)
  const everybody = parseHex(palette.series[0])
  for (const { column, row, result } of cells) {
    if (isInvalid(result)) continue
    context.fillStyle = toCss(mix(nobody, everybody, result.arrived))
    const [left, top] = [x(column) ?? 0, y(row) ?? 0]
    context.fillRect(left, top, Math.ceil(x.bandwidth()) - 0.5, Math.ceil(y.bandwidth()) - 0.5)
  }
  for (const rate of [0.001, 0.01, 0.1, 1]) {
    const center = (x(rates.indexOf(rate)) ?? 0) + x.bandwidth() / 2
    drawLabel(target, `${rate}`, [center, height - margins.bottom + 15], { align: 'center' })
  }
  for (const value of [0, 0.9, 0.99, 0.999]) {
    const center = (y(betas.indexOf(value)) ?? 0) + y.bandwidth() / 2
    drawLabel(target, `${value}`, [margins.left - 5, center + 4], { align: 'right' })
  }
  drawLabel(target, 'learning rate →', [width - margins.right, height - 4], { align: 'right' })
  const option = sweptOption(config, beta)
  drawLabel(target, `${sweptSymbol(option)} ↑`, [margins.left, height - 4])
  const [column, row] = [
    nearestIndex(rates, Number(optionValue(config, 'learningRate'))),
    nearestIndex(betas, Number(optionValue(config, option))),
  ]
  context.strokeStyle = palette.text
  context.lineWidth = 2
  context.strokeRect((x(column) ?? 0) - 0.5, (y(row) ?? 0) - 0.5, x.bandwidth(), y.bandwidth())
}

const nearestIndex = (values: readonly number[], value: number): number =>
  values.reduce(
    (best, other, i) => (Math.abs(other - value) < Math.abs(values[best] - value) ? i : best),
    0,
  )
