import { scaleLinear } from 'd3-scale'
import { drawBottomAxis, drawLabel } from '../canvas/axes.ts'
import type { DrawTarget } from '../canvas/canvas-layer.ts'
import { drawMarker, seriesStyles } from '../canvas/markers.ts'
import { formatPercent } from '../format.ts'
import { type EvidenceState, maxDraws, type State } from '../state.ts'
import { chart, swatch } from '../ui/chart.ts'
import { element, setText } from '../ui/element.ts'
import { selectField } from '../ui/form-controls.ts'
import { drawLineChart } from '../ui/line-chart.ts'
import type { KeyActions, Tab } from '../ui/tab.ts'
import {
  accuraciesOf,
  contenders,
  finalOf,
  frictionRange,
  gapOf,
  measured,
  type Outcome,
  orderOf,
  orders,
  published,
  runNoise,
  seeds,
  simulate,
  type Tally,
  tally,
} from './cifar10.ts'

/** The tab that tells why the review's figures on CIFAR-10 were no evidence. */
export class EvidenceTab implements Tab {
  readonly node: HTMLElement
  readonly keys: KeyActions = { ' ': () => this.#draw(1) }
  #state: EvidenceState
  readonly #onChange: (state: EvidenceState) => void
  readonly #runs = selectField(
    'Runs that are averaged',
    'runs',
    { 1: '1, as in the review', 5: '5', 25: '25' },
    (runs) => this.#change({ runs: Number(runs) }),
  )
  readonly #status = element('output', { class: 'status' })
  readonly #dots = chart('The last draw, and fifty before it', (target) =>
    drawDraws(target, this.#state),
  )
  readonly #orders = orders.map((order) => new OrderRow(order))
  readonly #summary = element('p', { class: 'summary', 'aria-live': 'polite' })

  constructor(state: EvidenceState, onChange: (state: EvidenceState) => void) {
    this.#state = state
    this.#onChange = onChange
    this.node = element(
      'div',
      { class: 'evidence' },
      element('header', { class: 'intro' }, element('h1', {}, title), paragraph('claim', claim)),
      section('measured', 'Three runs, and twice again', rankingTable(), paragraph('', ranking)),
      section('measured', leadTitle, leadLegend(), leadChart(), paragraph('', leadText)),
      section(
        'simulated',
        'Draw another seed',
        paragraph('', simulation),
        element(
          'div',
          { class: 'toolbar' },
          element(
            'div',
            { class: 'form-row' },
            button('Draw another seed', 'primary', () => this.#draw(1)),
            button('1,000 at once', '', () => this.#draw(1000)),
            button('Start again', 'quiet', () => this.#change({ draws: 1 })),
            this.#runs.node,
          ),
        ),
        this.#status,
        this.#dots.node,
        element('ol', { class: 'orders' }, ...this.#orders.map(({ node }) => node)),
        this.#summary,
      ),
      section('measured', 'Why they are equal', controlTable(), ...why()),
    )
    this.#show()
  }

  open(state: State): void {
    if (state.tab === 'evidence') this.#change(state)
  }

  pause(): void {}

  #draw(count: number): void {
    this.#change({ draws: Math.min(this.#state.draws + count, maxDraws) })
  }

  #change(changes: Partial<EvidenceState>): void {
    this.#state = { ...this.#state, ...changes }
    this.#show()
  }

  #show(): void {
    const { draws, runs } = this.#state
    const outcome = simulate(draws, runs)
    const counted = tally(draws, runs)
    this.#runs.show(`${runs}`)
    setText(
      this.#status,
      `draw ${draws}: ${orderOf(outcome)} · ${gapOf(outcome).toFixed(2)} points between first and last`,
    )
    for (const [i, row] of this.#orders.entries()) row.show(counted.counts[i] / draws)
    setText(this.#summary, summaryText(counted, this.#state))
    this.#dots.layer.draw()
    this.#onChange(this.#state)
  }
}

const title = 'Why 84.38 against 83.42 was no evidence'

const claim =
  'A review found that the first code of diffGrad had no friction, fixed it, and trained both on CIFAR-10: 84.38 % with the bug, 83.42 % without. It looked as if friction does harm. It was a throw of dice.'

const ranking =
  'SE-ResNet-18, ten epochs, in percent of the test images. The two columns on the right are of an independent PyTorch program, in which all contenders of a seed start from the same weights and see the same batches. Seed 1 gives the published order; seed 2 puts the fixed code first.'

const leadTitle = 'The lead of the original over the fixed code, in points'

const leadText =
  'Every line is one pair of trainings. The lead changes its sign from epoch to epoch, because a constant learning rate leaves the weights noisy to the end. Whoever stops an epoch earlier publishes another figure.'

const simulation = `Suppose that the three are equal, and that a run has the noise of the measured ones: a standard deviation of ${runNoise} points. Each draw is then a review, made up.`

/** A table cell of an accuracy with its rank in its column. */
function rankedCell(outcome: Outcome, i: number): HTMLElement {
  const rank = outcome.filter((other) => other > outcome[i]).length
  const text = ['1st', '2nd', '3rd'][rank]
  const place = element('small', {}, text)
  return element('td', { 'data-rank': rank + 1 }, outcome[i].toFixed(2), ' ', place)
}

function rankingTable(): HTMLElement {
  const columns = [published, ...measured]
  const headings = ['published', ...seeds.map((seed) => `seed ${seed}`)]
  return table(
    ['', ...headings],
    contenders.map(({ name }, i) => [name, ...columns.map((outcome) => rankedCell(outcome, i))]),
  )
}

const signed = (points: number): string => `${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(2)}`

/** The equations that are equal, and what their runs gave. */
function controlTable(): HTMLElement {
  const finals = ['original', 'adam_half'].map((key) => seeds.map((seed) => finalOf(key, seed)))
  const differences = seeds.map((_, i) => signed(finals[0][i] - finals[1][i]))
  const rows = ['original', 'Adam at half the rate'].map((name, k) => [
    name,
    ...finals[k].map((accuracy) => accuracy.toFixed(2)),
  ])
  return table(
    ['', ...seeds.map((seed) => `seed ${seed}`)],
    [...rows, ['difference', ...differences]],
  )
}

function why(): readonly HTMLElement[] {
  const [low, high] = frictionRange('fixed0').map((xi) => xi.toFixed(5))
  return [
    paragraph(
      '',
      `With the bug, ξ is ½. Without it, the mean ξ of an epoch was between ${low} and ${high}: gradients of this network change by so little that σ(|Δg|) hardly leaves ½. The fix changes nothing that ten epochs could show.`,
    ),
    paragraph(
      '',
      'And with ξ = ½ diffGrad is Adam at half the learning rate α, except for where ε, a hundred millionth, stands:',
    ),
    element(
      'dl',
      { class: 'equations' },
      element('dt', {}, 'original'),
      element('dd', {}, '½α · √c₂/c₁ · m / (√v + ε)'),
      element('dt', {}, 'Adam at half the rate'),
      element('dd', {}, '½α · √c₂/c₁ · m / (√v + ε√c₂)'),
    ),
    paragraph(
      '',
      'Two trainings of the same mathematics, from the same weights on the same batches, end more than a point apart with one seed. That is how large a difference must be before it says anything, and one run of each cannot tell.',
    ),
  ]
}

function leadLegend(): HTMLElement {
  const names = [...seeds.map((seed) => `seed ${seed}`), 'published']
  const items = names.map((name, i) => element('li', {}, swatch(i), name))
  return element('ul', { class: 'legend' }, ...items)
}

function leadChart(): HTMLElement {
  const { node } = chart(leadTitle, (target) => {
    const leads = seeds.map((seed) => {
      const [original, fixed] = ['original', 'fixed0'].map((key) => accuraciesOf(key, seed))
      return original.map((accuracy, i) => [i + 1, accuracy - fixed[i]] as const)
    })
    const epochs = leads[0].length
    const level = [1, epochs].map((epoch) => [epoch, published[0] - published[1]] as const)
    drawLineChart(target, {
      steps: epochs,
      range: [-1.25, 1.25],
      format: (lead) => (lead === 0 ? '0' : signed(lead).replace(/0$/, '')),
      series: [...leads, level].map((bold) => ({ faint: [], bold })),
    })
  })
  node.querySelector('h2')?.remove() // The section has the same heading.
  return node
}

const margins = { top: 8, right: 16, bottom: 26, left: 66 }

/** How many draws before the last one are drawn, faintly. */
const shownDraws = 50

/** Draws a row of dots for each contender: the last draws in faint, the very last in bold. */
function drawDraws(target: DrawTarget, { draws, runs }: EvidenceState): void {
  const { context, width, height, palette } = target
  const x = scaleLinear([82, 86], [margins.left, width - margins.right])
  const rowHeight = (height - margins.top - margins.bottom) / contenders.length
  const ticks = x.ticks(4).map((percent) => ({ at: x(percent), text: `${percent} %` }))
  drawBottomAxis(target, margins, ticks)
  const first = Math.max(draws - shownDraws, 1)
  const outcomes = Array.from({ length: draws - first + 1 }, (_, i) => simulate(first + i, runs))
  for (const [i, { name }] of contenders.entries()) {
    const y = margins.top + (i + 0.5) * rowHeight
    drawLabel(target, name, [0, y + 4], { color: palette.text, size: 13 })
    context.save()
    context.fillStyle = palette.series[i]
    context.globalAlpha = 0.25
    for (const outcome of outcomes.slice(0, -1)) {
      context.beginPath()
      context.arc(x(outcome[i]), y, 3, 0, 2 * Math.PI)
      context.fill()
    }
    context.restore()
    const style = { r: 7, fill: palette.series[i], outline: palette.surface }
    drawMarker(context, seriesStyles[i], [x(outcomes[outcomes.length - 1][i]), y], style)
  }
}

/** An order of the contenders, and the share of the draws that had it. */
class OrderRow {
  readonly node: HTMLElement
  readonly #bar = element('div', { class: 'bar' })
  readonly #share = element('span', { class: 'share' })

  constructor(order: string) {
    const seen = [
      ...(orderOf(published) === order ? ['published'] : []),
      ...seeds.filter((_, i) => orderOf(measured[i]) === order).map((seed) => `seed ${seed}`),
    ]
    const note = seen.length > 0 ? element('small', {}, seen.join(', ')) : undefined
    this.node = element(
      'li',
      {},
      element('span', { class: 'order' }, order, ' ', note),
      element('div', { class: 'track', 'aria-hidden': 'true' }, this.#bar),
      this.#share,
    )
  }

  show(share: number): void {
    this.#bar.style.width = `${100 * share}%`
    setText(this.#share, formatPercent(share))
  }
}

function summaryText({ wide }: Tally, { draws, runs }: EvidenceState): string {
  const gap = gapOf(published).toFixed(2)
  const count = draws.toLocaleString('en')
  const of = draws === 1 ? 'the one draw' : `${count} draws`
  return `In ${wide.toLocaleString('en')} of ${of} (${formatPercent(wide / draws)}), the first is at least ${gap} points ahead of the last, as in the review, though all three are equal${runs === 1 ? '' : `. With ${runs} runs of each, chance makes such a gap rarely or never`}.`
}

const paragraph = (className: string, text: string): HTMLElement =>
  element('p', className === '' ? {} : { class: className }, text)

const button = (text: string, className: string, onclick: () => void): HTMLElement =>
  element(
    'button',
    { type: 'button', class: className === '' ? undefined : className, onclick },
    text,
  )

/** A section whose heading says whether its figures are measured or simulated. */
const section = (
  kind: 'measured' | 'simulated',
  heading: string,
  ...children: readonly HTMLElement[]
): HTMLElement =>
  element(
    'section',
    { class: 'card', 'data-kind': kind },
    element('h2', {}, element('span', { class: 'kind' }, kind), ' ', heading),
    ...children,
  )

/**
 * @param headings - of the columns; the first may be empty.
 * @param rows - each starts with its heading.
 */
function table(
  headings: readonly string[],
  rows: readonly (readonly (string | HTMLElement)[])[],
): HTMLElement {
  const head = headings.map((text) =>
    text === '' ? element('td', {}) : element('th', { scope: 'col' }, text),
  )
  const body = rows.map(([heading, ...cells]) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, heading),
      ...cells.map((cell) => (typeof cell === 'string' ? element('td', {}, cell) : cell)),
    ),
  )
  return element(
    'table',
    {},
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...body),
  )
}
