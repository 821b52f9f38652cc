import { scaleLinear, scaleLog } from 'd3-scale'
import { drawBottomAxis, drawHairline, drawLeftAxis } from '../canvas/axes.ts'
import type { DrawTarget } from '../canvas/canvas-layer.ts'
import { type CanvasPoint, tracePath } from '../canvas/lines.ts'
import { drawMarkers, seriesStyles } from '../canvas/markers.ts'
import { formatPowerOfTen } from '../format.ts'
import { drawingOrder, type Scene } from './scene.ts'

const margins = { top: 10, right: 14, bottom: 26, left: 44 }

/** Losses below this do not extend the logarithmic axis, which has no zero. */
const smallestLoss = 1e-12

/** Draws the loss of each optimizer above the minimum, on a logarithmic axis, over the steps. */
export function drawLossChart(target: DrawTarget, scene: Scene): void {
  const { context, width, height, palette } = target
  const { trajectories, steps, position } = scene
  const losses = trajectories.map((trajectory) => trajectory.losses(Math.floor(position)))
  // A diverging optimizer leaves the chart at a hundred times the first loss.
  const largestLoss = 100 * Math.max(losses[0][0], 1e-2)
  const visible = losses.flat().filter((loss) => loss >= smallestLoss && loss < largestLoss)
  const [low, high] = [Math.min(1e-2, ...visible), Math.max(1, ...visible)]
  const x = scaleLinear([0, steps], [margins.left, width - margins.right])
  const y = scaleLog([low, high], [height - margins.bottom, margins.top]).nice()
  const decades = y.ticks(5).filter((loss) => Number.isInteger(Math.log10(loss)))
  const stride = Math.ceil(decades.length / 6)
  drawLeftAxis(
    target,
    margins,
    decades
      .filter((_, k) => k % stride === 0)
      .map((loss) => ({ at: y(loss), text: formatDecade(loss) })),
  )
  drawBottomAxis(
    target,
    margins,
    x.ticks(5).map((t) => ({ at: x(t), text: `${t}` })),
  )
  const now = x(position)
  drawHairline(context, palette.muted, [now, margins.top], [now, height - margins.bottom])
  context.save()
  context.beginPath()
  context.rect(margins.left - 20, 0, width - margins.left + 20, height - margins.bottom + 8)
  context.clip()
  const heads: { series: number; center: CanvasPoint }[] = []
  for (const i of drawingOrder(scene)) {
    const points = losses[i].map((loss, t): CanvasPoint => [x(t), y(Math.max(loss, y.domain()[0]))])
    context.beginPath()
    tracePath(context, points)
    context.setLineDash([...seriesStyles[i].dash])
    context.lineWidth = i === scene.selected ? 2.5 : 1.75
    context.lineJoin = 'round'
    context.strokeStyle = palette.series[i]
    context.stroke()
    context.setLineDash([])
    heads.push({ series: i, center: points[points.length - 1] })
  }
  drawMarkers(target, heads, { r: 4.5, ring: 3 })
  context.restore()
}

/** Formats a power of ten: 0.01 to 100 as plain numbers. */
function formatDecade(value: number): string {
  const exponent = Math.round(Math.log10(value))
  return Math.abs(exponent) <= 2 ? `${10 ** exponent}` : formatPowerOfTen(exponent)
}
