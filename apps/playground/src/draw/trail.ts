/** A place on a canvas. */
export type Place = readonly [x: number, y: number]

/** In so many pieces a trail fades. */
const pieces = 12

/** Draws a way that is fainter where it is older. It breaks where a place is not finite. */
export function drawTrail(
  context: CanvasRenderingContext2D,
  places: readonly Place[],
  {
    colour,
    dash,
    width,
  }: { readonly colour: string; readonly dash: readonly number[]; readonly width: number },
): void {
  if (places.length < 2) return
  context.save()
  context.strokeStyle = colour
  context.lineWidth = width
  context.lineJoin = 'round'
  context.lineCap = dash.length === 0 ? 'round' : 'butt'
  context.setLineDash([...dash])
  const length = Math.ceil((places.length - 1) / pieces)
  let travelled = 0
  for (let from = 0; from < places.length - 1; from += length) {
    const to = Math.min(from + length, places.length - 1)
    context.globalAlpha = 0.35 + (0.65 * to) / (places.length - 1)
    context.lineDashOffset = travelled
    context.beginPath()
    tracePath(context, places.slice(from, to + 1))
    context.stroke()
    travelled += lengthOf(places.slice(from, to + 1))
  }
  context.restore()
}

/** Adds a polyline to the path that was begun. */
export function tracePath(context: CanvasRenderingContext2D, places: readonly Place[]): void {
  let broken = true
  for (const [x, y] of places) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) broken = true
    else if (broken) {
      context.moveTo(x, y)
      broken = false
    } else context.lineTo(x, y)
  }
}

function lengthOf(places: readonly Place[]): number {
  let sum = 0
  for (let i = 1; i < places.length; i++) {
    sum += Math.hypot(places[i][0] - places[i - 1][0], places[i][1] - places[i - 1][1])
  }
  return Number.isFinite(sum) ? sum : 0
}
