import type { Histogram } from '@diffgrad/arrays'
import { drawLine, drawNote } from './axes.ts'
import type { Surface } from './sheet.ts'

const margins = { top: 8, right: 4, bottom: 24, left: 4 }

/** Draws how often each friction occurs; bins are as wide as each other, whatever they hold. */
export function drawFriction(surface: Surface, { counts, edges }: Histogram, colour: string): void {
  const { context, width, height, ink } = surface
  const highest = Math.max(...counts, 1)
  const wide = (width - margins.left - margins.right) / counts.length
  const floor = height - margins.bottom
  drawLine(context, ink.edge, [margins.left, floor], [width - margins.right, floor])
  context.fillStyle = colour
  for (const [i, count] of counts.entries()) {
    const tall = (count / highest) * (floor - margins.top)
    context.fillRect(margins.left + i * wide + 1, floor - tall, wide - 2, tall)
  }
  let free = 0
  for (const [i, edge] of edges.entries()) {
    const text = written(edge)
    const [room, x] = [6.5 * (text?.length ?? 0), margins.left + i * wide]
    const align = i === 0 ? 'left' : i === edges.length - 1 ? 'right' : 'center'
    const from = x - { left: 0, center: room / 2, right: room }[align]
    if (text === undefined || from < free) continue
    free = from + room
    drawNote(surface, text, [x, height - 8], { align, size: 11 })
  }
}

const digits = '⁰¹²³⁴⁵⁶⁷⁸⁹'

/** What is written under an edge: of those near ½, only every second power of ten. */
function written(edge: number): string | undefined {
  const distance = edge - 0.5
  if (distance === 0) return '½'
  if (edge < 1e-3) return '0'
  if (Math.abs(edge - Math.round(edge)) < 1e-5) return `${Math.round(edge)}`
  const power = Math.log10(Math.abs(distance))
  const whole = Math.round(power)
  if (Math.abs(power - whole) > 1e-6 || whole % 2 !== 0) return undefined
  return `½ ${distance < 0 ? '−' : '+'} 10⁻${digits[-whole]}`
}
