import { minimaOf } from '@diffgrad/testing/landscapes'
import { CanvasLayer } from '../canvas/canvas-layer.ts'
import { ContourMap, planeScales } from '../canvas/contour-map.ts'
import { formatPercent, formatPoint, formatRounded } from '../format.ts'
import type { OptimizerConfig } from '../optimizers/config.ts'
import { swatch } from '../ui/chart.ts'
import { element, setText } from '../ui/element.ts'
import { none, type SwarmSummary, summarize } from './swarm.ts'
import { cellAt, drawSweep, SwarmCloud, SwarmMap } from './swarm-drawing.ts'
import { gridSize, type PanelContent } from './swarm-run.ts'
import { betas, type Cell, cellCount, isInvalid, rates, sweptOption, sweptSymbol } from './sweep.ts'

/** The swarm or the sweep of one optimizer. Pointing at it shows details. */
export class SwarmPanel {
  readonly node: HTMLElement
  readonly #label = element('h2', {})
  readonly #summary = element('p', { class: 'summary' })
  readonly #details = element('p', { class: 'details' })
  readonly #canvas = element('canvas', { class: 'swarm-canvas', role: 'img' })
  readonly #layer: CanvasLayer
  readonly #map = new SwarmMap()
  readonly #cloud = new SwarmCloud()
  readonly #contours = new ContourMap()
  readonly #contourLines = new ContourMap(false)
  #content: PanelContent | undefined

  /** @param onSelect - gets the config of a clicked cell of a sweep. */
  constructor(index: number, onSelect: (config: OptimizerConfig) => void) {
    this.#layer = new CanvasLayer(this.#canvas, (target) => {
      const content = this.#content
      if (content?.mode === 'sweep') {
        drawSweep(target, content.cells, content.config, content.beta)
      } else if (content?.view === 'map') {
        const { swarm, landscapeView: view, steps } = content
        this.#map.draw(target, swarm, { view, steps, gridSize }, this.#contourLines)
      } else if (content) {
        this.#cloud.draw(target, content.swarm, content.landscapeView, this.#contours)
      }
    })
    this.#canvas.addEventListener('pointermove', (event) =>
      setText(this.#details, this.#detailsAt(event)),
    )
    this.#canvas.addEventListener('pointerleave', () => setText(this.#details, ''))
    this.#canvas.addEventListener('click', (event) => {
      const cell = this.#cellAt(event)
      if (cell && !isInvalid(cell.result)) onSelect(cell.config)
    })
    this.node = element(
      'figure',
      { class: 'swarm-panel' },
      element('header', {}, swatch(index), this.#label),
      this.#canvas,
      element('figcaption', {}, this.#summary, this.#details),
    )
  }

  show(label: string, content: PanelContent): void {
    this.#content = content
    setText(this.#label, label)
    const summary =
      content.mode === 'starts' ? summaryText(summarize(content.swarm)) : sweepText(content.cells)
    setText(this.#summary, summary)
    this.#canvas.setAttribute('aria-label', `${label}: ${summary}`)
    this.#canvas.classList.toggle('sweep', content.mode === 'sweep')
    this.#layer.draw()
  }

  #position(event: MouseEvent): readonly [number, number] {
    const { left, top } = this.#canvas.getBoundingClientRect()
    return [event.clientX - left, event.clientY - top]
  }

  #cellAt(event: MouseEvent): Cell | undefined {
    if (this.#content?.mode !== 'sweep') return undefined
    const { clientWidth, clientHeight } = this.#canvas
    const at = cellAt(this.#position(event), clientWidth, clientHeight)
    return this.#content.cells.find(({ column, row }) => column === at?.column && row === at.row)
  }

  /** The text about the cell or the start under the pointer. */
  #detailsAt(event: MouseEvent): string {
    const content = this.#content
    if (content?.mode === 'sweep') {
      const cell = this.#cellAt(event)
      if (!cell) return ''
      const symbol = sweptSymbol(sweptOption(content.config, content.beta))
      const { result } = cell
      const text = isInvalid(result) ? `refused. ${result.error}` : summaryText(result)
      return `α ${rates[cell.column]}, ${symbol} ${betas[cell.row]}: ${text}`
    }
    if (content?.view !== 'map') return ''
    const { swarm, landscapeView } = content
    const { clientWidth, clientHeight } = this.#canvas
    const [left, top] = this.#position(event)
    const scales = planeScales(landscapeView, clientWidth, clientHeight)
    const start = formatRounded([scales.x.invert(left), scales.y.invert(top)])
    const row = Math.floor((top / clientHeight) * gridSize)
    const i = row * gridSize + Math.floor((left / clientWidth) * gridSize)
    if (swarm.minimumAt[i] === none) return `from ${start}: not at a global minimum`
    const minimum = minimaOf(landscapeView.landscape)[swarm.minimumAt[i]]
    return `from ${start}: at ${formatPoint(minimum)} since step ${swarm.arrivalStep[i]}`
  }
}

function summaryText({ arrived, medianStep, diverged }: SwarmSummary): string {
  const half = medianStep === undefined ? '' : `, half by step ${medianStep}`
  const lost = diverged > 0 ? ` · ${formatPercent(diverged)} lost` : ''
  return `${formatPercent(arrived)} at a minimum${half}${lost}`
}

function sweepText(cells: readonly Cell[]): string {
  const invalid = cells.filter(({ result }) => isInvalid(result)).length
  const refused = invalid > 0 ? ` · ${invalid} refused, left empty` : ''
  return `${cells.length} of ${cellCount} settings tried, 64 starts each${refused}`
}
