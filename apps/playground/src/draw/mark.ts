/** How one racer differs from the others beside its colour. */
export interface Mark {
  readonly dash: readonly number[]
  /** Adds the outline of a marker of radius r around the origin to a path. */
  trace(path: Path2D, r: number): void
}

const polygon =
  (corners: number, turn: number, size: number) =>
  (path: Path2D, r: number): void => {
    for (let k = 0; k < corners; k++) {
      const angle = turn + (2 * Math.PI * k) / corners
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

/** Of the racers, in order. */
export const marks: readonly Mark[] = [
  { dash: [], trace: circle },
  { dash: [7, 4], trace: polygon(4, Math.PI / 4, 1.25) },
  { dash: [2, 3], trace: polygon(3, -Math.PI / 2, 1.4) },
  { dash: [10, 3, 2, 3], trace: polygon(4, 0, 1.35) },
  { dash: [14, 4], trace: plus },
  { dash: [5, 2, 1, 2], trace: polygon(3, Math.PI / 2, 1.4) },
]

/** Draws a racer's marker at a place, with an outline in the colour of the paper. */
export function drawMark(
  context: CanvasRenderingContext2D,
  { trace }: Mark,
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

/** Heads that are drawn later are smaller, so that two in one place both show. */
export const headSize = (order: number): number => 9 - 0.7 * order
