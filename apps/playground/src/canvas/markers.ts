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
  [x, y]: readonly [x: number, y: number],
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

/** The radius of the marker that is drawn as number `order`: later ones are smaller, so that overlapping markers stay visible. */
export const markerRadius = (order: number): number => 9 - 0.7 * order
