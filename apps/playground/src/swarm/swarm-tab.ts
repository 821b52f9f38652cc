import { landscapeViews } from '../landscapes.ts'
import type { OptimizerConfig } from '../optimizers/config.ts'
import { optimizerLabels } from '../optimizers/option-text.ts'
import { optimizers as optimizerEntries } from '../optimizers/registry.ts'
import { defaultSwarm, maxSwarms, type State, type SwarmState } from '../state.ts'
import { Animation } from '../ui/animation.ts'
import { element, setText } from '../ui/element.ts'
import { OptimizerList } from '../ui/optimizer-list.ts'
import type { KeyActions, Tab } from '../ui/tab.ts'
import { SwarmForm, SwarmLegend } from './swarm-controls.ts'
import { SwarmPanel } from './swarm-panel.ts'
import { createRun, gridSize, type SwarmRun } from './swarm-run.ts'

/** The time to compute in each frame, in milliseconds; the rest of the frame is for drawing. */
const frameBudget = 10

/** The tab in which optimizers run from thousands of starts, or with hundreds of settings. */
export class SwarmTab implements Tab {
  readonly node: HTMLElement
  readonly keys: KeyActions = { ' ': () => this.#toggle() }
  #state: SwarmState
  #run: SwarmRun
  #panels: readonly SwarmPanel[] = []
  readonly #onChange: (state: SwarmState) => void
  readonly #panelGrid = element('div', { class: 'panels' })
  readonly #title = element('h1', {})
  readonly #claim = element('p', { class: 'claim' })
  readonly #status = element('output', { class: 'status', 'aria-live': 'off' })
  readonly #speed = element('output', { class: 'speed', 'aria-live': 'off' })
  readonly #progress = element('progress', { max: 1, 'aria-label': 'progress' })
  readonly #legend = new SwarmLegend()
  readonly #play = element('button', {
    type: 'button',
    class: 'primary',
    onclick: () => this.#toggle(),
  })
  readonly #form = new SwarmForm(this.#play, (changes) => this.#change(changes))
  readonly #error = element('p', { class: 'warning', role: 'alert' })
  readonly #animation = new Animation(() => this.#show())
  readonly #optimizers = new OptimizerList({
    current: () => this.#state.optimizers,
    onChange: (optimizers) => this.#change({ optimizers }),
    min: 1,
    max: maxSwarms,
    scalable: true,
  })

  constructor(state: SwarmState, onChange: (state: SwarmState) => void) {
    this.#state = state
    this.#onChange = onChange
    this.#run = createRun(state)
    const progress = element(
      'div',
      { class: 'run-status' },
      this.#progress,
      this.#status,
      this.#speed,
    )
    this.node = element(
      'div',
      { class: 'swarm' },
      element('header', { class: 'intro' }, this.#title, this.#claim),
      element('div', { class: 'toolbar' }, this.#form.node, progress),
      this.#error,
      this.#legend.node,
      this.#panelGrid,
      this.#optimizers.node,
    )
    this.#toggle()
  }

  open(state: State): void {
    if (state.tab !== 'swarm') return
    this.#state = state
    this.#restart()
  }

  pause(): void {
    if (this.#animation.running) this.#toggle()
  }

  #change(changes: Partial<SwarmState>): void {
    const changed = { ...this.#state, ...changes }
    const drawable = landscapeViews[changed.landscape].window.length === 2
    this.#state =
      changed.mode === 'starts' && !drawable
        ? { ...changed, landscape: defaultSwarm.landscape }
        : changed
    const onlyView = Object.keys(changes).join() === 'view'
    if (onlyView) this.#show()
    else this.#restart()
  }

  /** Takes over the options of a clicked cell; the sweep itself stays as it is. */
  #selectCell(index: number, config: OptimizerConfig): void {
    this.#state = { ...this.#state, optimizers: this.#state.optimizers.with(index, config) }
    this.#show()
  }

  #restart(): void {
    this.#animation.stop()
    this.#run = createRun(this.#state)
    this.#toggle()
  }

  /** Runs or pauses; starts again after the end or an error. */
  #toggle(): void {
    if (this.#animation.running) this.#animation.stop()
    else {
      const finished = this.#run.progress >= 1 || this.#animation.error !== ''
      if (finished) this.#run = createRun(this.#state)
      setText(this.#speed, '')
      let [increments, elapsed] = [0, 0]
      this.#animation.start((seconds) => {
        elapsed += seconds
        increments += this.#advanceForOneFrame()
        if (elapsed > 0.3) setText(this.#speed, speedText(this.#state, increments / elapsed))
        this.#show()
      })
    }
    this.#show()
  }

  /** Returns the number of increments that were computed. */
  #advanceForOneFrame(): number {
    const end = performance.now() + frameBudget
    let increments = 0
    while (performance.now() < end || increments === 0) {
      if (!this.#run.advance()) {
        this.#animation.stop()
        break
      }
      increments++
    }
    return increments
  }

  #show(): void {
    const { mode, view, optimizers } = this.#state
    const starts = mode === 'starts'
    setText(this.#title, starts ? 'Forty thousand starts' : 'Which settings find the minimum')
    const claim = starts ? `${startsClaim} ${viewClaims[view]}` : sweepClaim
    setText(this.#claim, optimizers.some(isAveraged) ? `${claim} ${averageClaim}` : claim)
    const finished = this.#run.progress >= 1
    setText(this.#play, this.#animation.running ? 'Pause' : finished ? 'Run again' : 'Run')
    this.#form.show(this.#state)
    this.#optimizers.show(optimizers)
    this.#progress.value = this.#run.progress
    setText(this.#status, this.#run.status)
    setText(this.#error, this.#animation.error)
    this.#legend.show(this.#state)
    if (this.#panels.length !== optimizers.length) {
      this.#panels = optimizers.map(
        (_, i) => new SwarmPanel(i, (config) => this.#selectCell(i, config)),
      )
      this.#panelGrid.replaceChildren(...this.#panels.map(({ node }) => node))
    }
    const labels = optimizerLabels(optimizers)
    for (const [i, content] of this.#run.panels(this.#state).entries()) {
      this.#panels[i].show(labels[i], content)
    }
    this.#onChange(this.#state)
  }
}

const startsClaim =
  'The rules are elementwise, so a swarm is one array, and each member moves as if it were alone.'
const viewClaims = {
  map: 'Every pixel is a start: its color says which minimum it reached, and its strength how early.',
  cloud: 'Every dot is a member’s current point: the stronger, the more members are there.',
}
const sweepClaim =
  'Every square is a setting, tried from 64 starts: the stronger its color, the more of them end at a global minimum. The ring marks the current setting; click a square to choose it.'

const isAveraged = ({ name }: OptimizerConfig): boolean =>
  optimizerEntries[name].rule.evaluationPoint !== undefined
const averageClaim = 'Of Schedule-Free it is x, the average that is evaluated.'

const speedText = ({ mode, optimizers }: SwarmState, rate: number): string =>
  mode === 'starts'
    ? `${rate.toFixed(0)} steps a second × ${optimizers.length} × ${(gridSize * gridSize).toLocaleString('en')} starts`
    : `${(rate * optimizers.length).toFixed(0)} settings a second`
