/** A position on a canvas, in CSS pixels. */
export type CanvasPoint = readonly [x: number, y: number]

/** The number of segments of different opacity in a fading line. */
const segments = 8

/** Draws a polyline whose older part is fainter. It breaks where a point is not finite. */
export function drawFadingLine(
  context: CanvasRenderingContext2D,
  points: readonly CanvasPoint[],
  {
    color,
    dash,
    width,
  }: { readonly color: string; readonly dash: readonly number[]; readonly width: number },
): void {
  if (points.length < 2) return
  context.save()
  context.strokeStyle = color
  context.lineWidth = width
  context.lineJoin = 'round'
  context.lineCap = dash.length === 0 ? 'round' : 'butt'
  context.setLineDash([...dash])
  const length = Math.ceil((points.length - 1) / segments)
  let dashOffset = 0
  for (let from = 0; from < points.length - 1; from += length) {
    const to = Math.min(from + length, points.length - 1)
    context.globalAlpha = 0.35 + (0.65 * to) / (points.length - 1)
    context.lineDashOffset = dashOffset
    context.beginPath()
    tracePath(context, points.slice(from, to + 1))
    context.stroke()
    dashOffset += polylineLength(points.slice(from, to + 1))
  }
  context.restore()
}

/** A point nearer than this to the previously drawn one is skipped, in CSS pixels. */
const minimumDistance = 0.7

/** Appends a polyline to the current path. It breaks where a point is not finite. */
export function tracePath(context: CanvasRenderingContext2D, points: readonly CanvasPoint[]): void {
  let broken = true
  let [lastX, lastY] = [0, 0]
  const end = points.length - 1
  for (let i = 0; i <= end; i++) {
    const [x, y] = points[i]
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      broken = true
      continue
    }
    if (broken) context.moveTo(x, y)
    else if (i < end && Math.abs(x - lastX) + Math.abs(y - lastY) < minimumDistance) continue
    else context.lineTo(x, y)
    broken = false
    lastX = x
    lastY = y
  }
}

/** Draws a wide polyline in one color, as the background of a fading line. */
export function drawHalo(
  context: CanvasRenderingContext2D,
  points: readonly CanvasPoint[],
  { color, width }: { readonly color: string; readonly width: number },
): void {
  context.save()
  context.globalAlpha = 0.8
  context.strokeStyle = color
  context.lineWidth = width
  context.lineJoin = 'round'
  context.lineCap = 'round'
  context.beginPath()
  tracePath(context, points)
  context.stroke()
  context.restore()
}

function polylineLength(points: readonly CanvasPoint[]): number {
  let sum = 0
  for (let i = 1; i < points.length; i++) {
    sum += Math.hypot(points[i][0] - points[i - 1][0], points[i][1] - points[i - 1][1])
  }
  return Number.isFinite(sum) ? sum : 0
}
