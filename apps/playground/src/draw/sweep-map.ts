import { scaleBand } from 'd3-scale'
import { optionOf, type Racer } from '../optimizers/racer.ts'
import { betas, type Cell, isRefused, rates, secondOption } from '../swarm/sweep.ts'
import { drawNote } from './axes.ts'
import { cssOf, mixed, rgbOf } from './colour.ts'
import type { Surface } from './sheet.ts'

const margins = { top: 4, right: 4, bottom: 34, left: 40 }

/** Where the cells of a sweep stand. */
function bandsOf(width: number, height: number) {
  const x = scaleBand<number>(rates.keys(), [margins.left, width - margins.right])
  const y = scaleBand<number>(betas.keys(), [height - margins.bottom, margins.top])
  return { x, y }
}

/** The cell at a place, if one is there. */
export function cellAt(
  [left, top]: readonly [number, number],
  width: number,
  height: number,
): { readonly column: number; readonly row: number } | undefined {
  const { x, y } = bandsOf(width, height)
  const column = Math.floor((left - margins.left) / x.bandwidth())
  const row = Math.floor((height - margins.bottom - top) / y.bandwidth())
  const inside = column >= 0 && column < rates.length && row >= 0 && row < betas.length
  return inside ? { column, row } : undefined
}

/** Draws the share that arrives at each setting; one that is refused stays empty. */
export function drawSweep(
  surface: Surface,
  cells: readonly Cell[],
  racer: Racer,
  beta: 'beta1' | 'beta2',
): void {
  const { context, width, height, ink } = surface
  const { x, y } = bandsOf(width, height)
  const [few, many] = [mixed(rgbOf(ink.lost), rgbOf(ink.paper), 0.35), rgbOf(ink.racers[0])]
  for (const { column, row, outcome } of cells) {
    if (isRefused(outcome)) continue
    context.fillStyle = cssOf(mixed(few, many, outcome.share))
    const [left, top] = [x(column) ?? 0, y(row) ?? 0]
    context.fillRect(left, top, Math.ceil(x.bandwidth()) - 0.5, Math.ceil(y.bandwidth()) - 0.5)
  }
  for (const rate of [0.001, 0.01, 0.1, 1]) {
    const at = (x(rates.indexOf(rate)) ?? 0) + x.bandwidth() / 2
    drawNote(surface, `${rate}`, [at, height - margins.bottom + 15], { align: 'center' })
  }
  for (const value of [0, 0.9, 0.99, 0.999]) {
    const at = (y(betas.indexOf(value)) ?? 0) + y.bandwidth() / 2
    drawNote(surface, `${value}`, [margins.left - 5, at + 4], { align: 'right' })
  }
  drawNote(surface, 'learning rate →', [width - margins.right, height - 4], { align: 'right' })
  const second = secondOption(racer, beta)
  const sign = { beta1: 'β₁', beta2: 'β₂', momentum: 'μ' }[second] ?? second
  drawNote(surface, `${sign} ↑`, [margins.left, height - 4])
  const [column, row] = [
    nearest(rates, Number(optionOf(racer, 'learningRate'))),
    nearest(betas, Number(optionOf(racer, second))),
  ]
  context.strokeStyle = ink.text
  context.lineWidth = 2
  context.strokeRect((x(column) ?? 0) - 0.5, (y(row) ?? 0) - 0.5, x.bandwidth(), y.bandwidth())
}

const nearest = (values: readonly number[], value: number): number =>
  values.reduce(
    (best, other, i) => (Math.abs(other - value) < Math.abs(values[best] - value) ? i : best),
    0,
  )
