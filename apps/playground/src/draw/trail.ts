/** A place on a canvas. */
export type Place = readonly [x: number, y: number]

/** In so many pieces a trail fades. */
const pieces = 8

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

/** Places nearer than this to the last one that was drawn do not show, in pixels. */
const unseen = 0.7

/** Adds a polyline to the path that was begun. It breaks where a place is not finite. */
export function tracePath(context: CanvasRenderingContext2D, places: readonly Place[]): void {
  let broken = true
  let [lastX, lastY] = [0, 0]
  const end = places.length - 1
  for (let i = 0; i <= end; i++) {
    const [x, y] = places[i]
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      broken = true
      continue
    }
    if (broken) context.moveTo(x, y)
    else if (i < end && Math.abs(x - lastX) + Math.abs(y - lastY) < unseen) continue
    else context.lineTo(x, y)
    broken = false
    lastX = x
    lastY = y
  }
}

/** Draws a way in one colour, for a trail to be drawn on. */
export function drawHalo(
  context: CanvasRenderingContext2D,
  places: readonly Place[],
  { colour, width }: { readonly colour: string; readonly width: number },
): void {
  context.save()
  context.globalAlpha = 0.8
  context.strokeStyle = colour
  context.lineWidth = width
  context.lineJoin = 'round'
  context.lineCap = 'round'
  context.beginPath()
  tracePath(context, places)
  context.stroke()
  context.restore()
}

function lengthOf(places: readonly Place[]): number {
  let sum = 0
  for (let i = 1; i < places.length; i++) {
    sum += Math.hypot(places[i][0] - places[i - 1][0], places[i][1] - places[i - 1][1])
  }
  return Number.isFinite(sum) ? sum : 0
}
