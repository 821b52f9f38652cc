import type { State } from '../address/address.ts'
import { element, say } from '../dom/element.ts'
import { labelsOf } from '../optimizers/labels.ts'
import type { Racer } from '../optimizers/racer.ts'
import { Animation } from '../page/animation.ts'
import type { KeyActions } from '../page/keys.ts'
import type { Tab } from '../page/tab.ts'
import { courses } from '../race/course.ts'
import { type SwarmRun, side, startsRun, sweepRun } from '../swarm/run.ts'
import { mostSwarms, openSwarm, type SwarmState } from '../swarm/swarm-state.ts'
import { RacerList } from './racer-list.ts'
import { SwarmForm } from './swarm-form.ts'
import { SwarmLegend } from './swarm-legend.ts'
import { SwarmPanel } from './swarm-panel.ts'

/** For so long a frame may work, in milliseconds; the rest of it is for drawing. */
const patience = 10

/** The tab in which thousands start at once. */
export class SwarmTab implements Tab {
  readonly node: HTMLElement
  readonly keys: KeyActions = { ' ': () => this.#toggle() }
  #state: SwarmState
  #run: SwarmRun
  #panels: readonly SwarmPanel[] = []
  readonly #keep: (state: SwarmState) => void
  readonly #grid = element('div', { class: 'panels' })
  readonly #title = element('h1', {})
  readonly #claim = element('p', { class: 'claim' })
  readonly #standing = element('output', { class: 'standing', 'aria-live': 'off' })
  readonly #pace = element('output', { class: 'pace', 'aria-live': 'off' })
  readonly #bar = element('progress', { max: 1, 'aria-label': 'progress' })
  readonly #legend = new SwarmLegend()
  readonly #play = element('button', {
    type: 'button',
    class: 'primary',
    onclick: () => this.#toggle(),
  })
  readonly #form = new SwarmForm(this.#play, (changes) => this.#change(changes))
  readonly #failure = element('p', { class: 'warning', role: 'alert' })
  readonly #animation = new Animation(() => this.#show())
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
    this.node = element(
      'div',
      { class: 'swarm' },
      element('header', { class: 'telling' }, this.#title, this.#claim),
      element(
        'div',
        { class: 'bar' },
        this.#form.node,
        element('div', { class: 'going' }, this.#bar, this.#standing, this.#pace),
      ),
      this.#failure,
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
    if (this.#animation.running) this.#toggle()
  }

  #change(changes: Partial<SwarmState>): void {
    const changed = { ...this.#state, ...changes }
    const flat = courses[changed.course].window.length === 2
    this.#state =
      changed.mode === 'starts' && !flat ? { ...changed, course: openSwarm.course } : changed
    // Another drawing of the same does not begin anew.
    if (Object.keys(changes).join() === 'view') this.#show()
    else this.#begin()
  }

  /** Chooses a setting of a sweep, which need not be tried again. */
  #pick(index: number, racer: Racer): void {
    this.#state = { ...this.#state, racers: this.#state.racers.with(index, racer) }
    this.#show()
  }

  /** Starts anew with the state as it is. */
  #begin(): void {
    this.#animation.stop()
    this.#run = runOf(this.#state)
    this.#toggle()
  }

  #toggle(): void {
    if (this.#animation.running) this.#animation.stop()
    else {
      const over = this.#run.progress >= 1 || this.#animation.failure !== ''
      if (over) this.#run = runOf(this.#state)
      say(this.#pace, '')
      let [done, taken] = [0, 0]
      this.#animation.start((seconds) => {
        taken += seconds
        done += this.#work()
        if (taken > 0.3) say(this.#pace, paceOf(this.#state, done / taken))
        this.#show()
      })
    }
    this.#show()
  }

  /** Works for a part of a frame, and says how many pieces were done. */
  #work(): number {
    const until = performance.now() + patience
    let pieces = 0
    while (performance.now() < until || pieces === 0) {
      if (!this.#run.work()) {
        this.#animation.stop()
        break
      }
      pieces++
    }
    return pieces
  }

  #show(): void {
    const { mode, view, racers } = this.#state
    const starts = mode === 'starts'
    say(this.#title, starts ? 'Forty thousand starts' : 'Which settings find the minimum')
    say(this.#claim, starts ? `${startsClaim} ${viewClaims[view]}` : sweepClaim)
    say(
      this.#play,
      this.#animation.running ? 'Pause' : this.#run.progress >= 1 ? 'Run again' : 'Run',
    )
    this.#form.show(this.#state)
    this.#racers.show(racers)
    this.#bar.value = this.#run.progress
    say(this.#standing, this.#run.standing)
    say(this.#failure, this.#animation.failure)
    this.#legend.show(this.#state)
    if (this.#panels.length !== racers.length) {
      this.#panels = racers.map((_, i) => new SwarmPanel(i, (racer) => this.#pick(i, racer)))
      this.#grid.replaceChildren(...this.#panels.map(({ node }) => node))
    }
    const labels = labelsOf(racers)
    for (const [i, panorama] of this.#run.panoramas(this.#state).entries())
      this.#panels[i].show(labels[i], panorama)
    this.#keep(this.#state)
  }
}

const startsClaim =
  'The rules are elementwise, so a swarm is one array, and each member fares as if it were alone.'
const viewClaims = {
  map: 'Every pixel is a start: its colour says which minimum it is at, its strength how soon it came.',
  cloud: 'Every dot is where a member is now, and the stronger the more are there.',
}
const sweepClaim =
  'Every square is a setting, tried from 64 starts: the stronger its colour, the more of them end at a global minimum. The ring is the setting that races; click a square to choose it.'

const runOf = (state: SwarmState): SwarmRun =>
  state.mode === 'starts' ? startsRun(state) : sweepRun(state)

const paceOf = ({ mode, racers }: SwarmState, rate: number): string =>
  mode === 'starts'
    ? `${rate.toFixed(0)} steps a second × ${racers.length} × ${(side * side).toLocaleString('en')} starts`
    : `${(rate * racers.length).toFixed(0)} settings a second`
