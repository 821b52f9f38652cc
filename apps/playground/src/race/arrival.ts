import { type Landscape, minimaOf } from '@diffgrad/testing/landscapes'

/** How far two points are apart. */
export const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.hypot(...a.map((x, i) => x - b[i]))

/** The global minimum within reach of a point, as its number among all of them. */
export function minimumNear(
  landscape: Landscape,
  point: readonly number[],
  reach: number,
): number | undefined {
  const found = minimaOf(landscape).findIndex((minimum) => distance(minimum, point) < reach)
  return found === -1 ? undefined : found
}

/** The step from which on a path stays within reach of a global minimum, if it ends in one. */
export function arrivalOf(
  landscape: Landscape,
  path: readonly (readonly number[])[],
  reach: number,
): number | undefined {
  const away = path.findLastIndex((point) => minimumNear(landscape, point, reach) === undefined)
  return away === path.length - 1 ? undefined : away + 1
}
