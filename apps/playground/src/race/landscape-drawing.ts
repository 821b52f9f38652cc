import { type ScaleLinear, scaleLinear, scalePow } from 'd3-scale'
import { drawBottomAxis, drawHairline, drawLabel } from '../canvas/axes.ts'
import type { DrawTarget } from '../canvas/canvas-layer.ts'
import { type ContourMap, planeScales } from '../canvas/contour-map.ts'
import { type CanvasPoint, drawFadingLine, drawHalo, tracePath } from '../canvas/lines.ts'
import { drawMarkers, seriesStyles } from '../canvas/markers.ts'
import { type LandscapeView, lossAboveMinimum } from '../landscapes.ts'
import { drawingOrder, pathUntil, type Scene } from './scene.ts'

/** Draws a race on a function of two variables: contours, and the trajectories on them. */
export function drawContourRace(target: DrawTarget, scene: Scene, contours: ContourMap): void {
  const { context, width, height, palette } = target
  const { view, trajectories, position, start, selected } = scene
  contours.draw(target, view)
  const scales = planeScales(view, width, height)
  const toCanvas = ([x, y]: readonly number[]): CanvasPoint => [scales.x(x), scales.y(y)]
  const paths = trajectories.map((trajectory) => pathUntil(trajectory, position).map(toCanvas))
  for (const path of paths) drawHalo(context, path, { color: palette.surface, width: 4.5 })
  for (const i of drawingOrder(scene)) {
    const style = { color: palette.series[i], dash: seriesStyles[i].dash }
    drawFadingLine(context, paths[i], { ...style, width: i === selected ? 2.75 : 2 })
  }
  const [x, y] = toCanvas(start)
  context.lineWidth = 1.5
  context.strokeStyle = palette.text
  context.beginPath()
  context.arc(x, y, 5, 0, 2 * Math.PI)
  context.stroke()
  drawLabel(target, 'start', [x + 10, y - 8], { color: palette.text })
  const heads = drawingOrder(scene).map((series) => ({
    series,
    center: toCanvas(trajectories[series].interpolate(position)),
  }))
  drawMarkers(target, heads, { r: 6.5, ring: 4 })
}

const margins = { top: 16, right: 16, bottom: 26, left: 16 }

/** The share of the height that the curve takes; the trajectories over time are below it. */
const curveShare = 0.5

/** The scale from x to canvas pixels of a landscape of one variable; `invert` leads back. */
export const curveScale = (
  { window: [[left, right]] }: LandscapeView,
  width: number,
): ScaleLinear<number, number> => scaleLinear([left, right], [margins.left, width - margins.right])

/** Draws a race on a function of one variable: the curve, and below it x over the steps. */
export function drawCurveRace(target: DrawTarget, scene: Scene): void {
  const { context, width, height, palette } = target
  const { view, trajectories, position, steps } = scene
  const { landscape } = view
  const x = curveScale(view, width)
  const [left, right] = x.domain()
  const samples = 400
  const xs = Array.from({ length: samples + 1 }, (_, i) => left + ((right - left) * i) / samples)
  const heights = xs.map((x) => lossAboveMinimum(landscape, [x]))
  const axis = margins.top + curveShare * (height - margins.top - margins.bottom)
  const y = scalePow([0, Math.max(...heights)], [axis - 14, margins.top + 14])
    .exponent(view.heightExponent)
    .clamp(false)
  const time = scaleLinear([0, steps], [axis + 22, height - margins.bottom - 8])

  const ticks = x.ticks(6).map((value) => ({ at: x(value), text: x.tickFormat(6)(value) }))
  drawBottomAxis(target, { ...margins, top: axis }, ticks)
  const [minimum] = landscape.minimum
  context.save()
  context.globalAlpha = 0.7
  drawHairline(context, palette.muted, [x(minimum), y(0)], [x(minimum), height - margins.bottom])
  context.restore()
  drawLabel(target, 'position at each step', [width - margins.right, axis + 14], { align: 'right' })

  const curve = xs.map((value, i): CanvasPoint => [x(value), y(heights[i])])
  context.beginPath()
  tracePath(context, [[x(left), axis], ...curve, [x(right), axis]])
  context.fillStyle = palette.terrainLow
  context.fill()
  context.beginPath()
  tracePath(context, curve)
  context.lineWidth = 1.5
  context.strokeStyle = palette.text
  context.stroke()
  drawLabel(target, 'global minimum', [x(minimum), axis - 3], { align: 'center', size: 11 })

  context.save()
  context.beginPath()
  context.rect(0, 0, width, height - margins.bottom + 4)
  context.clip()
  const order = drawingOrder(scene)
  for (const i of order) {
    const path = pathUntil(trajectories[i], position)
    const overTime = path.map(([value], t): CanvasPoint => [x(value), time(Math.min(t, position))])
    const style = { color: palette.series[i], dash: seriesStyles[i].dash }
    drawFadingLine(context, overTime, { ...style, width: 2 })
  }
  const heads = order.map((series) => ({
    series,
    x: trajectories[series].interpolate(position)[0],
  }))
  drawMarkers(
    target,
    heads.map(({ series, x: head }) => ({ series, center: [x(head), time(position)] })),
    { r: 4, ring: 3 },
  )
  drawMarkers(
    target,
    heads.map(({ series, x: head }) => {
      const top = Math.max(y(lossAboveMinimum(landscape, [head])), margins.top)
      return { series, center: [x(head), top - 9] }
    }),
    { r: 6.5, ring: 4 },
  )
  context.restore()
}
