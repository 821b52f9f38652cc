import { scaleLinear, scaleLog } from 'd3-scale'
import { drawingOrder, type Scene } from '../race/scene.ts'
import { drawBottomAxis, drawLeftAxis, drawLine } from './axes.ts'
import { drawMark, marks } from './mark.ts'
import type { Surface } from './sheet.ts'
import { type Place, tracePath } from './trail.ts'

const margins = { top: 10, right: 14, bottom: 26, left: 44 }

/** Losses below this are drawn here: a logarithm has no zero. */
const floor = 1e-12

/** Draws how far above the lowest point each racer is, against the step. */
export function drawLosses(surface: Surface, scene: Scene): void {
  const { context, width, height, ink } = surface
  const { descents, steps, position } = scene
  const whole = Math.floor(position)
  const losses = descents.map((descent) => descent.losses(whole))
  // Whoever leaves a hundred times the first loss behind leaves the chart, too.
  const highest = 100 * Math.max(losses[0][0], 1e-2)
  const seen = losses.flat().filter((loss) => loss >= floor && loss < highest)
  const [low, high] = [Math.min(1e-2, ...seen), Math.max(1, ...seen)]
  const x = scaleLinear([0, steps], [margins.left, width - margins.right])
  const y = scaleLog([low, high], [height - margins.bottom, margins.top]).nice()
  const decades = y.ticks(5).filter((loss) => Number.isInteger(Math.log10(loss)))
  const every = Math.ceil(decades.length / 6)
  const shown = decades.filter((_, k) => k % every === 0)
  drawLeftAxis(
    surface,
    margins,
    shown.map((loss) => ({ at: y(loss), text: powerOfTen(loss) })),
  )
  drawBottomAxis(
    surface,
    margins,
    x.ticks(5).map((t) => ({ at: x(t), text: `${t}` })),
  )
  drawLine(context, ink.muted, [x(position), margins.top], [x(position), height - margins.bottom])
  context.save()
  context.beginPath()
  context.rect(margins.left - 8, 0, width - margins.left + 8, height - margins.bottom + 8)
  context.clip()
  for (const i of drawingOrder(scene)) {
    const places = losses[i].map((loss, t): Place => [x(t), y(Math.max(loss, y.domain()[0]))])
    context.beginPath()
    tracePath(context, places)
    context.setLineDash([...marks[i].dash])
    context.lineWidth = i === scene.selected ? 2.5 : 1.75
    context.lineJoin = 'round'
    context.strokeStyle = ink.racers[i]
    context.stroke()
    context.setLineDash([])
    const last = places[places.length - 1]
    if (last.every(Number.isFinite)) {
      drawMark(context, marks[i], last, { r: 4.5, fill: ink.racers[i], outline: ink.paper })
    }
  }
  context.restore()
}

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹'

/** A power of ten as people write it. */
function powerOfTen(value: number): string {
  const exponent = Math.round(Math.log10(value))
  if (exponent >= -2 && exponent <= 2) return `${10 ** exponent}`
  const digits = `${Math.abs(exponent)}`.replace(/\d/g, (digit) => superscripts[Number(digit)])
  return `10${exponent < 0 ? '⁻' : ''}${digits}`
}
