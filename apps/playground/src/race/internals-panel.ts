import { ruleSources } from 'virtual:rule-sources'
import { scaleLinear } from 'd3-scale'
import { drawHairline, drawLabel } from '../canvas/axes.ts'
import { CanvasLayer, type DrawTarget } from '../canvas/canvas-layer.ts'
import { type CanvasPoint, tracePath } from '../canvas/lines.ts'
import { formatPoint } from '../format.ts'
import type { OptimizerConfig } from '../optimizers/config.ts'
import { frictionRange } from '../optimizers/friction.ts'
import { optimizers } from '../optimizers/registry.ts'
import { type StepEquation, stepEquations } from '../optimizers/step-equations.ts'
import { element, setText } from '../ui/element.ts'
import type { Internals } from './trajectory.ts'

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

/** One equation, with its current numbers and a sparkline of what it computes. */
interface Row {
  readonly name: string
  readonly node: HTMLElement
  readonly symbols: HTMLElement
  readonly meaning: HTMLElement
  readonly numbers: HTMLElement
  readonly result: HTMLElement
  readonly layer: CanvasLayer
}

/** The equations of the selected optimizer with the numbers of the current step, each beside a sparkline. */
export class InternalsPanel {
  readonly node: HTMLElement
  readonly #title = element('h2', {})
  readonly #hint = element('p', { class: 'hint' })
  readonly #list = element('div', {})
  readonly #links = element('p', { class: 'links' })
  readonly #letters = element('p', { class: 'hint' }, 'αₜ: α with the corrections of step t')
  #linked = ''
  #rows: readonly Row[] = []
  #view: InternalsView | undefined

  constructor() {
    this.node = element(
      'section',
      { class: 'internals', 'aria-label': 'Inside the optimizer' },
      element('header', {}, this.#title, this.#hint),
      this.#list,
      element('footer', {}, this.#links, this.#letters),
    )
  }

  show(view: InternalsView): void {
    this.#view = view
    setText(this.#title, `Inside ${view.label}`)
    setText(this.#hint, hintOf(view))
    this.#showLinks(view.config.name)
    const equations = equationsOf(view)
    this.#letters.hidden = !equations.some(({ symbols }) => symbols.includes('αₜ'))
    const names = equations.map(({ name }) => name).join()
    if (names !== this.#rows.map(({ name }) => name).join()) {
      this.#rows = equations.map(({ name }) => this.#row(name))
      this.#list.replaceChildren(...this.#rows.map(({ node }) => node))
    }
    for (const [i, { symbols, meaning, numbers, result }] of equations.entries()) {
      const row = this.#rows[i]
      setText(row.symbols, symbols)
      setText(row.meaning, meaning)
      setText(row.numbers, numbers === '' ? '' : `= ${numbers} `)
      setText(row.result, result.length === 0 ? '–' : `= ${formatPoint(result)}`)
      row.layer.draw()
    }
  }

  /** Links to where the letters are explained, to the paper, if there is one, and to the code. */
  #showLinks(rule: string): void {
    if (this.#linked === rule) return
    this.#linked = rule
    const { code, paper } = ruleSources[rule]
    const link = (href: string, text: string): HTMLElement =>
      element('a', { href, target: '_blank', rel: 'noopener' }, text)
    this.#links.replaceChildren(
      link(`./rule.html#${rule}`, 'The rule'),
      ...(paper === undefined ? [] : [' · ', link(`https://arxiv.org/abs/${paper}`, 'The paper')]),
      ' · ',
      link(`./${code}`, 'The code'),
    )
  }

  #row(name: string): Row {
    const symbols = element('span', { class: 'symbols' })
    const meaning = element('span', { class: 'meaning' })
    const numbers = element('span', {})
    const result = element('output', { class: 'now', 'aria-live': 'off', 'data-internal': name })
    const canvas = element('canvas', { class: 'sparkline', 'aria-hidden': 'true' })
    const text = element(
      'div',
      { class: 'equation' },
      element('p', {}, symbols, ' ', meaning),
      element('p', { class: 'numbers' }, numbers, result),
    )
    const layer = new CanvasLayer(canvas, (target) => {
      if (this.#view) drawSparkline(target, sparklineOf(this.#view, name, target))
    })
    const node = element('div', { class: 'sparkline-row' }, text, canvas)
    return { name, node, symbols, meaning, numbers, result, layer }
  }
}

/** The equations of the current step; before the first, those of step 1 without numbers. */
function equationsOf({ config, internals }: InternalsView): readonly StepEquation[] {
  const last = internals[internals.length - 1]
  return stepEquations(config, Math.max(internals.length, 1), last?.inputs)
}

function hintOf({ internals }: InternalsView): string {
  const [first] = internals
  if (!first) return 'Before the first step.'
  const isPlane = first.inputs.values.theta.length > 1
  const which = isPlane ? ', numbers of the first coordinate; the second is dashed' : ''
  return `Step ${internals.length}${which}`
}

function sparklineOf(
  { config, internals, color, steps }: InternalsView,
  name: string,
  { palette }: DrawTarget,
): Sparkline {
  // θ itself hardly moves in a step, but where its average counts both are shown as they are.
  const isStep = name === 'theta' && optimizers[config.name].rule.evaluationPoint === undefined
  const drawn = isStep ? 'effectiveStep' : name
  return {
    values: internals.map(({ results }) => results[drawn] ?? []),
    ...(name === 'xi' && { range: frictionRange(config), baseline: 0.5 }),
    label: isStep ? 'Δθ' : '',
    steps,
    color: palette.series[color],
  }
}

interface Sparkline {
  /** One entry per step, from step 1; each has one number per variable. */
  readonly values: readonly (readonly number[])[]
  /** The range of the y axis; by default it fits the values and 0. */
  readonly range?: readonly [low: number, high: number] | undefined
  /** A value to mark by a horizontal line; 0 by default. */
  readonly baseline?: number
  /** What is drawn, if that is not what the equation computes. */
  readonly label: string
  readonly steps: number
  readonly color: string
}

/** Draws one line per variable; the second one is dashed. */
function drawSparkline(
  target: DrawTarget,
  { values, range, baseline = 0, label, steps, color }: Sparkline,
): void {
  const { context, width, height, palette } = target
  const finite = values.flat().filter(Number.isFinite)
  const [low, high] = range ?? [Math.min(0, ...finite), Math.max(0, ...finite)]
  const x = scaleLinear([1, Math.max(steps, 2)], [1, width - 20])
  const y = scaleLinear(low === high ? [low - 1, high + 1] : [low, high], [height - 5, 5])
  if (baseline >= y.domain()[0] && baseline <= y.domain()[1]) {
    drawHairline(context, palette.line, [0, y(baseline)], [width - 20, y(baseline)])
    const text = baseline === 0.5 ? '½' : `${baseline}`
    drawLabel(target, text, [width - 14, y(baseline) + 4])
  }
  drawLabel(target, label, [width - 20, 11], { align: 'right', size: 11 })
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
