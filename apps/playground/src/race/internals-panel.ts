import { scaleLinear } from 'd3-scale'
import { drawHairline, drawLabel } from '../canvas/axes.ts'
import { CanvasLayer, type DrawTarget } from '../canvas/canvas-layer.ts'
import { type CanvasPoint, tracePath } from '../canvas/lines.ts'
import { formatPoint } from '../format.ts'
import type { OptimizerConfig } from '../optimizers/config.ts'
import { frictionRange, hasFriction } from '../optimizers/friction.ts'
import { element, setText } from '../ui/element.ts'
import type { Internals } from './trajectory.ts'

/** The rows of the panel: the value, its symbol and its meaning. */
const rows = [
  ['xi', 'ξ', 'friction'],
  ['m', 'm', 'mean of gradients'],
  ['v', 'v', 'mean of their squares'],
  ['effectiveStep', 'Δθ', 'effective step'],
] as const

/** What the panel shows of one optimizer. */
interface InternalsView {
  readonly config: OptimizerConfig
  readonly label: string
  readonly color: number
  /** From step 1 to the current one. */
  readonly internals: readonly Internals[]
  /** The length of the race. */
  readonly steps: number
}

/** ξ, m, v and the effective step of the selected optimizer, each as a sparkline over the steps. */
export class InternalsPanel {
  readonly node: HTMLElement
  readonly #title = element('h2', {})
  readonly #rows: readonly {
    readonly node: HTMLElement
    readonly current: HTMLElement
    readonly layer: CanvasLayer
  }[]
  #view: InternalsView | undefined

  constructor() {
    this.#rows = rows.map(([key, symbol, meaning]) => {
      const current = element('output', { class: 'now', 'aria-live': 'off', 'data-internal': key })
      const canvas = element('canvas', { class: 'sparkline', 'aria-hidden': 'true' })
      const name = element('span', { class: 'symbol', title: meaning }, symbol)
      const text = element(
        'div',
        { class: 'sparkline-text' },
        name,
        element('span', {}, meaning),
        current,
      )
      const node = element('div', { class: 'sparkline-row' }, text, canvas)
      const layer = new CanvasLayer(canvas, (target) => {
        if (!this.#view) return
        const { internals, config, color, steps } = this.#view
        const known = internals.some((step) => (step[key] ?? []).length > 0)
        drawSparkline(target, {
          values: known ? internals.map((step) => step[key] ?? []) : [],
          ...(key === 'xi' && { range: frictionRange(config), baseline: 0.5 }),
          steps,
          color: target.palette.series[color],
        })
      })
      return { node, current, layer }
    })
    this.node = element(
      'section',
      { class: 'internals', 'aria-label': 'Inside the optimizer' },
      this.#title,
      ...this.#rows.map(({ node }) => node),
    )
  }

  show(view: InternalsView): void {
    this.#view = view
    setText(this.#title, `Inside ${view.label}`)
    const last = view.internals[view.internals.length - 1]
    for (const [i, [key]] of rows.entries()) {
      const { current, layer } = this.#rows[i]
      const value = last?.[key]
      const missing = key === 'xi' && !hasFriction(view.config) ? 'none: as if it were 1' : '–'
      setText(current, value ? formatPoint(value) : missing)
      layer.draw()
    }
  }
}

interface Sparkline {
  /** One entry per step, from step 1; each has one number per variable. */
  readonly values: readonly (readonly number[])[]
  /** The range of the y axis; by default it fits the values and 0. */
  readonly range?: readonly [low: number, high: number] | undefined
  /** A value to mark by a horizontal line; 0 by default. */
  readonly baseline?: number
  readonly steps: number
  readonly color: string
}

/** Draws one line per variable; the second one is dashed. */
function drawSparkline(
  target: DrawTarget,
  { values, range, baseline = 0, steps, color }: Sparkline,
): void {
  const { context, width, height, palette } = target
  const finite = values.flat().filter(Number.isFinite)
  const [low, high] = range ?? [Math.min(0, ...finite), Math.max(0, ...finite)]
  const x = scaleLinear([1, Math.max(steps, 2)], [1, width - 34])
  const y = scaleLinear(low === high ? [low - 1, high + 1] : [low, high], [height - 5, 5])
  if (baseline >= y.domain()[0] && baseline <= y.domain()[1]) {
    drawHairline(context, palette.line, [0, y(baseline)], [width - 34, y(baseline)])
    const text = baseline === 0.5 ? '½' : `${baseline}`
    drawLabel(target, text, [width - 28, y(baseline) + 4])
  }
  for (const axis of values[0]?.keys() ?? []) {
    context.beginPath()
    tracePath(
      context,
      values.map((value, i): CanvasPoint => [x(i + 1), y(value[axis])]),
    )
    context.setLineDash(axis === 0 ? [] : [3, 3])
    context.lineWidth = 1.75
    context.lineJoin = 'round'
    context.strokeStyle = color
    context.stroke()
  }
  context.setLineDash([])
  for (const value of values[values.length - 1] ?? []) {
    context.beginPath()
    context.arc(x(values.length), y(value), 3, 0, 2 * Math.PI)
    context.fillStyle = color
    context.fill()
  }
}
