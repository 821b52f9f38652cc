import { minimaOf } from '@diffgrad/testing/landscapes'
import { element, say } from '../dom/element.ts'
import { Backdrop, planeOf } from '../draw/contour.ts'
import { Sheet } from '../draw/sheet.ts'
import { Cloud } from '../draw/swarm-cloud.ts'
import { drawMap, Pixels } from '../draw/swarm-map.ts'
import { cellAt, drawSweep } from '../draw/sweep-map.ts'
import type { Racer } from '../optimizers/racer.ts'
import { figure, pointFigure } from '../race/figures.ts'
import { type Panorama, side } from '../swarm/run.ts'
import { type Summary, summaryOf } from '../swarm/summary.ts'
import { nowhere } from '../swarm/swarm.ts'
import { betas, type Cell, isRefused, rates, secondOption, settings } from '../swarm/sweep.ts'
import { swatch } from './swatch.ts'

const percent = (share: number): string =>
  `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`

/** How a swarm fares, in words. */
function inWords({ share, median, lost }: Summary): string {
  const half = median === undefined ? '' : `, half by step ${median}`
  return `${percent(share)} at a minimum${half}${lost > 0 ? ` · ${percent(lost)} lost` : ''}`
}

/** How many settings of a sweep were tried, in words. */
function countInWords(cells: readonly Cell[]): string {
  const refused = cells.filter(({ outcome }) => isRefused(outcome)).length
  const empty = refused > 0 ? ` · ${refused} refused, left empty` : ''
  return `${cells.length} of ${settings} settings tried, 64 starts each${empty}`
}

/** One optimizer's swarm, or its sweep. Pointing at a place tells more of it. */
export class SwarmPanel {
  readonly node: HTMLElement
  readonly #label = element('h2', {})
  readonly #summary = element('p', { class: 'summary' })
  readonly #pointed = element('p', { class: 'pointed' })
  readonly #canvas: HTMLCanvasElement
  readonly #sheet: Sheet
  readonly #pixels = new Pixels(side)
  readonly #backdrop = new Backdrop()
  readonly #cloud = new Cloud()
  readonly #lines = new Backdrop(false)
  #panorama: Panorama | undefined

  /** @param pick - is told the setting of a sweep that was clicked. */
  constructor(index: number, pick: (racer: Racer) => void) {
    this.#canvas = element('canvas', { class: 'panorama', role: 'img' })
    this.#sheet = new Sheet(this.#canvas, (surface) => {
      const shown = this.#panorama
      if (shown?.of === 'sweep') drawSweep(surface, shown.cells, shown.racer, shown.beta)
      else if (shown?.view === 'map')
        drawMap(surface, shown.swarm, shown, { pixels: this.#pixels, lines: this.#lines })
      else if (shown) this.#cloud.draw(surface, shown.swarm, shown.course, this.#backdrop)
    })
    this.#canvas.addEventListener('pointermove', (event) => say(this.#pointed, this.#tell(event)))
    this.#canvas.addEventListener('pointerleave', () => say(this.#pointed, ''))
    this.#canvas.addEventListener('click', (event) => {
      const cell = this.#cell(event)
      if (cell && !isRefused(cell.outcome)) pick(cell.racer)
    })
    const head = element('header', {}, swatch(index), this.#label)
    this.node = element(
      'figure',
      { class: 'swarm-panel' },
      head,
      this.#canvas,
      element('figcaption', {}, this.#summary, this.#pointed),
    )
  }

  show(label: string, panorama: Panorama): void {
    this.#panorama = panorama
    say(this.#label, label)
    const summary =
      panorama.of === 'starts' ? inWords(summaryOf(panorama.swarm)) : countInWords(panorama.cells)
    say(this.#summary, summary)
    this.#canvas.setAttribute('aria-label', `${label}: ${summary}`)
    this.#canvas.classList.toggle('wide', panorama.of === 'sweep')
    this.#sheet.draw()
  }

  #place(event: MouseEvent): readonly [number, number] {
    const { left, top } = this.#canvas.getBoundingClientRect()
    return [event.clientX - left, event.clientY - top]
  }

  #cell(event: MouseEvent): Cell | undefined {
    if (this.#panorama?.of !== 'sweep') return undefined
    const at = cellAt(this.#place(event), this.#canvas.clientWidth, this.#canvas.clientHeight)
    return this.#panorama.cells.find(({ column, row }) => column === at?.column && row === at.row)
  }

  #tell(event: MouseEvent): string {
    const shown = this.#panorama
    if (shown?.of === 'sweep') {
      const cell = this.#cell(event)
      if (!cell) return ''
      const second = secondOption(shown.racer, shown.beta)
      const sign = { beta1: 'β₁', beta2: 'β₂' }[second] ?? 'μ'
      const { outcome } = cell
      const words = isRefused(outcome) ? `refused. ${outcome.complaint}` : inWords(outcome)
      return `α ${rates[cell.column]}, ${sign} ${betas[cell.row]}: ${words}`
    }
    if (shown?.of !== 'starts' || shown.view !== 'map') return ''
    const { clientWidth, clientHeight } = this.#canvas
    const [left, top] = this.#place(event)
    const plane = planeOf(shown.course, clientWidth, clientHeight)
    const start = [plane.x.invert(left), plane.y.invert(top)].map((x) =>
      figure(Math.round(100 * x) / 100).replace(/0+$/, ''),
    )
    const i =
      Math.floor((top / clientHeight) * side) * side + Math.floor((left / clientWidth) * side)
    const home = shown.swarm.home[i]
    const minimum = home === nowhere ? undefined : minimaOf(shown.course.landscape)[home]
    return minimum
      ? `from ${start.join(', ')}: at ${pointFigure(minimum)} since step ${shown.swarm.arrived[i]}`
      : `from ${start.join(', ')}: not at a global minimum`
  }
}
