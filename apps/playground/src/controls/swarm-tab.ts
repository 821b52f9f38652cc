import type { State } from '../address/address.ts'
import { element, say } from '../dom/element.ts'
import { labelsOf } from '../optimizers/labels.ts'
import type { KeyActions } from '../page/keys.ts'
import type { Tab } from '../page/tab.ts'
import { courses } from '../race/course.ts'
import { mostSwarmSteps, mostSwarms, type SwarmState } from '../swarm/swarm-state.ts'
import { choice } from './choice.ts'
import { numberField } from './number-field.ts'
import { RacerList } from './racer-list.ts'
import { SwarmLegend } from './swarm-legend.ts'
import { SwarmPanel, side } from './swarm-panel.ts'
import { type SwarmRun, startsRun, sweepRun } from './swarm-run.ts'

/** For so long a frame may work, in milliseconds; the rest of it is for drawing. */
const patience = 10

/** The tab in which thousands start at once. */
export class SwarmTab implements Tab {
  readonly node: HTMLElement
  readonly keys: KeyActions = { ' ': () => this.#toggle() }
  #state: SwarmState
  #run: SwarmRun
  #running = false
  #panels: readonly SwarmPanel[] = []
  readonly #keep: (state: SwarmState) => void
  readonly #grid = element('div', { class: 'panels' })
  readonly #title = element('h1', {})
  readonly #claim = element('p', { class: 'claim' })
  readonly #standing = element('output', { class: 'standing' })
  readonly #pace = element('output', { class: 'pace' })
  readonly #bar = element('progress', { max: 1, 'aria-label': 'progress' })
  readonly #legend = new SwarmLegend()
  readonly #play = element('button', {
    type: 'button',
    class: 'primary',
    onclick: () => this.#toggle(),
  })
  readonly #course = choice('Landscape', 'course', titles, (course) => this.#change({ course }))
  readonly #mode = choice(
    'Show',
    'mode',
    { starts: '40,000 starts', sweep: 'a sweep of settings' },
    (mode) => this.#change({ mode: mode === 'sweep' ? 'sweep' : 'starts' }),
  )
  readonly #view = choice(
    'Draw',
    'view',
    { map: 'where each began', cloud: 'where each is' },
    (view) => {
      this.#state = { ...this.#state, view: view === 'cloud' ? 'cloud' : 'map' }
      this.#show()
    },
  )
  readonly #beta = choice('Learning rate ×', 'beta', { beta1: 'β₁', beta2: 'β₂' }, (beta) =>
    this.#change({ beta: beta === 'beta2' ? 'beta2' : 'beta1' }),
  )
  readonly #steps = numberField(
    'Steps',
    { name: 'steps', min: 1, max: mostSwarmSteps, whole: true },
    (steps) => this.#change({ steps }),
  )
  readonly #racers = new RacerList({
    of: () => this.#state.racers,
    change: (racers) => this.#change({ racers }),
    fewest: 1,
    most: mostSwarms,
    scalable: true,
  })

  /** @param keep - is told every state that an address should lead back to. */
  constructor(state: SwarmState, keep: (state: SwarmState) => void) {
    this.#state = state
    this.#keep = keep
    this.#run = runOf(state)
    const settings = [this.#mode, this.#course, this.#view, this.#beta, this.#steps]
    this.node = element(
      'div',
      { class: 'swarm' },
      element('header', { class: 'telling' }, this.#title, this.#claim),
      element(
        'div',
        { class: 'bar' },
        element('div', { class: 'setting' }, this.#play, ...settings.map(({ node }) => node)),
        element('div', { class: 'going' }, this.#bar, this.#standing, this.#pace),
      ),
      this.#legend.node,
      this.#grid,
      element('section', { class: 'entries' }, element('h2', {}, 'Optimizers'), this.#racers.node),
    )
    this.#begin()
  }

  open(state: State): void {
    if (state.tab !== 'swarm') return
    this.#state = state
    this.#begin()
  }

  pause(): void {
    if (this.#running) this.#toggle()
  }

  #change(changes: Partial<SwarmState>): void {
    const changed = { ...this.#state, ...changes }
    const flat = courses[changed.course].window.length === 2
    this.#state =
      changed.mode === 'starts' && !flat ? { ...changed, course: 'himmelblau' } : changed
    this.#begin()
  }

  /** Starts anew with the state as it is. */
  #begin(): void {
    this.#run = runOf(this.#state)
    say(this.#pace, '')
    this.#show()
    if (!this.#running) this.#toggle()
  }

  #toggle(): void {
    this.#running = !this.#running
    if (this.#running && this.#run.progress >= 1) this.#run = runOf(this.#state)
    this.#show()
    if (this.#running) requestAnimationFrame(() => this.#frame(performance.now(), 0))
  }

  #frame(since: number, done: number): void {
    if (!this.#running || !this.node.isConnected) {
      this.#running = false
      return
    }
    const run = this.#run
    const until = performance.now() + patience
    let [pieces, more] = [done, true]
    do {
      more = run.work()
      pieces += more ? 1 : 0
    } while (more && performance.now() < until)
    if (!more) this.#running = false
    const seconds = (performance.now() - since) / 1000
    if (seconds > 0.3 || !more) say(this.#pace, paceOf(this.#state, pieces / seconds))
    this.#show()
    requestAnimationFrame(() => {
      if (this.#run === run) this.#frame(since, pieces)
      else this.#frame(performance.now(), 0)
    })
  }

  #show(): void {
    const { mode, course, view, beta, steps, racers } = this.#state
    const starts = mode === 'starts'
    say(this.#title, starts ? 'Forty thousand starts' : 'Which settings find the minimum')
    say(this.#claim, starts ? startsClaim : sweepClaim)
    say(this.#play, this.#running ? 'Pause' : this.#run.progress >= 1 ? 'Run again' : 'Run')
    this.#course.show(course)
    this.#mode.show(mode)
    this.#view.show(view)
    this.#beta.show(beta)
    this.#steps.show(steps)
    this.#view.node.hidden = !starts
    this.#beta.node.hidden = starts
    for (const option of this.#course.node.querySelectorAll('option')) {
      option.disabled = starts && courses[option.value].window.length === 1
    }
    this.#racers.show(racers)
    this.#bar.value = this.#run.progress
    say(this.#standing, this.#run.standing)
    this.#legend.show(this.#state)
    if (this.#panels.length !== racers.length) {
      this.#panels = racers.map(
        (_, i) =>
          new SwarmPanel(i, (racer) => this.#change({ racers: this.#state.racers.with(i, racer) })),
      )
      this.#grid.replaceChildren(...this.#panels.map(({ node }) => node))
    }
    const labels = labelsOf(racers)
    for (const [i, panorama] of this.#run.panoramas(this.#state).entries())
      this.#panels[i].show(labels[i], panorama)
    this.#keep(this.#state)
  }
}

const startsClaim =
  'The rules are elementwise, so a swarm is one array, and each member fares as if it were alone. Every pixel is a start: its colour says which minimum it is at, its strength how soon it came.'
const sweepClaim =
  'Every square is a setting, tried from 64 starts: the stronger its colour, the more of them end at a global minimum. The ring is the setting that races; click a square to choose it.'

const runOf = (state: SwarmState): SwarmRun =>
  state.mode === 'starts' ? startsRun(state, side) : sweepRun(state)

const paceOf = ({ mode, racers }: SwarmState, rate: number): string =>
  mode === 'starts'
    ? `${rate.toFixed(0)} steps a second × ${racers.length} optimizers × ${(side * side).toLocaleString('en')} starts`
    : `${(rate * racers.length).toFixed(0)} settings a second`

const titles: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(courses).map(([name, { title }]) => [name, title]),
)
