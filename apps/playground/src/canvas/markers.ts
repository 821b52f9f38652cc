import type { DrawTarget } from './canvas-layer.ts'
import type { CanvasPoint } from './lines.ts'

/** How the line and the marker of one optimizer look, apart from the color. */
export interface SeriesStyle {
  readonly dash: readonly number[]
  /** Appends the outline of a marker of radius r, centered on the origin. */
  trace(path: Path2D, r: number): void
}

const polygon =
  (corners: number, rotation: number, size: number) =>
  (path: Path2D, r: number): void => {
    for (let k = 0; k < corners; k++) {
      const angle = rotation + (2 * Math.PI * k) / corners
      path.lineTo(size * r * Math.cos(angle), size * r * Math.sin(angle))
    }
    path.closePath()
  }

const circle = (path: Path2D, r: number): void => path.arc(0, 0, r, 0, 2 * Math.PI)

function plus(path: Path2D, r: number): void {
  const [a, b] = [1.2 * r, 0.45 * r]
  const half = [
    [b, -a],
    [b, -b],
    [a, -b],
    [a, b],
    [b, b],
    [b, a],
  ]
  for (const [x, y] of [...half, ...half.map(([x, y]) => [-x, -y])]) path.lineTo(x, y)
  path.closePath()
}

/** One style per optimizer, in order. */
export const seriesStyles: readonly SeriesStyle[] = [
  { dash: [], trace: circle },
  { dash: [7, 4], trace: polygon(4, Math.PI / 4, 1.25) },
  { dash: [2, 3], trace: polygon(3, -Math.PI / 2, 1.4) },
  { dash: [10, 3, 2, 3], trace: polygon(4, 0, 1.35) },
  { dash: [14, 4], trace: plus },
  { dash: [5, 2, 1, 2], trace: polygon(3, Math.PI / 2, 1.4) },
]

/** Draws the marker of an optimizer at a position. */
export function drawMarker(
  context: CanvasRenderingContext2D,
  { trace }: SeriesStyle,
  [x, y]: CanvasPoint,
  { r, fill, outline }: { readonly r: number; readonly fill: string; readonly outline: string },
): void {
  const path = new Path2D()
  trace(path, r)
  context.save()
  context.translate(x, y)
  context.lineWidth = 3
  context.lineJoin = 'round'
  context.strokeStyle = outline
  context.stroke(path)
  context.fillStyle = fill
  context.fill(path)
  context.restore()
}

/**
 * The radii of markers in the order of drawing. One that is covered by later markers is larger by a ring for each of
 * them, so that all show where optimizers are at the same point; the ring fades as the markers part.
 *
 * @param r - the radius of a marker that nothing covers.
 * @param ring - the width of a ring.
 */
const nestedRadii = (
  centers: readonly CanvasPoint[],
  { r, ring }: { readonly r: number; readonly ring: number },
): readonly number[] =>
  centers.map(([x, y], k) => {
    const covering = centers.slice(k + 1).map(([otherX, otherY]) => {
      const distance = Math.hypot(otherX - x, otherY - y)
      return Math.max(0, 1 - distance / (2 * (r + ring)))
    })
    // Each further ring is narrower, so that six markers fit.
    return r + ring * covering.reduce((sum, share) => sum + share, 0) ** 0.75
  })

/** Draws one marker for each series, in an order. Those that are not at a finite point are left out. */
export function drawMarkers(
  { context, palette }: Pick<DrawTarget, 'context' | 'palette'>,
  heads: readonly { readonly series: number; readonly center: CanvasPoint }[],
  size: { readonly r: number; readonly ring: number },
): void {
  const finite = heads.filter(({ center }) => center.every(Number.isFinite))
  const radii = nestedRadii(
    finite.map(({ center }) => center),
    size,
  )
  for (const [k, { series, center }] of finite.entries()) {
    drawMarker(context, seriesStyles[series], center, {
      r: radii[k],
      fill: palette.series[series],
      outline: palette.surface,
    })
  }
}
