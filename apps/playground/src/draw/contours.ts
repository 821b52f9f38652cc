import type { Landscape } from '@diffgrad/testing/landscapes'
import { type ContourMultiPolygon, contours } from 'd3-contour'
import type { Interval } from '../race/course.ts'
import { excess } from '../race/course.ts'

const columns = 120
const levels = 18

/** The contours of a landscape in a window: lowest first, as polygons on a grid of `columns` cells. */
export interface ContourMap {
  readonly polygons: readonly ContourMultiPolygon[]
  readonly columns: number
  readonly rows: number
}

/**
 * Contours at levels that are even on a logarithmic scale, so that valleys show as well as walls.
 *
 * @param aspect - height to width of the window as it is drawn.
 */
export function contourMap(
  landscape: Landscape,
  [[left, right], [bottom, top]]: readonly Interval[],
  aspect: number,
): ContourMap {
  const rows = Math.round(columns * aspect)
  const heights = new Array<number>(columns * rows)
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) {
      const x = left + ((right - left) * (i + 0.5)) / columns
      const y = top + ((bottom - top) * (j + 0.5)) / rows
      heights[j * columns + i] = excess(landscape, [x, y])
    }
  }
  const sorted = [...heights].sort((a, b) => a - b)
  const highest = sorted[sorted.length - 1]
  // What is lower than most of the window does not need levels of its own.
  const offset = Math.max(sorted[Math.floor(sorted.length / 40)], highest / 1e4)
  const logs = heights.map((height) => Math.log(height + offset))
  const [low, high] = [Math.log(offset), Math.log(highest + offset)]
  const thresholds = Array.from({ length: levels }, (_, k) => low + ((high - low) * k) / levels)
  return { polygons: contours().size([columns, rows]).thresholds(thresholds)(logs), columns, rows }
}
