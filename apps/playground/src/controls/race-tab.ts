import type { State } from '../address/address.ts'
import { told } from '../address/race-code.ts'
import { element, say } from '../dom/element.ts'
import { drawLosses } from '../draw/loss-chart.ts'
import { labelsOf } from '../optimizers/labels.ts'
import type { Racer } from '../optimizers/racer.ts'
import { Animation } from '../page/animation.ts'
import type { KeyActions } from '../page/keys.ts'
import type { Tab } from '../page/tab.ts'
import { Cast } from '../race/cast.ts'
import { advanced } from '../race/clock.ts'
import { courses } from '../race/course.ts'
import type { Descent } from '../race/descent.ts'
import { figure, pointFigure } from '../race/figures.ts'
import { mostRacers, type RaceState } from '../race/race-state.ts'
import type { Scene } from '../race/scene.ts'
import { chart } from './chart.ts'
import { GroundForm } from './ground-form.ts'
import { InsidePanel } from './inside-panel.ts'
import { LandscapeStage } from './landscape-stage.ts'
import { RacerKey } from './racer-key.ts'
import { RacerList } from './racer-list.ts'
import { StoryList } from './story-list.ts'
import { Telling } from './telling.ts'
import { Transport } from './transport.ts'

/** Racers move at every frame; figures and charts rest so long between two, in seconds. */
const chartRest = 0.03

/** The tab in which optimizers race. */
export class RaceTab implements Tab {
  readonly node: HTMLElement
  readonly keys: KeyActions = {
    ' ': () => this.toggle(),
    ',': () => this.step(-1),
    '.': () => this.step(1),
    Home: () => this.#goTo(0),
    End: () => this.#goTo(this.#state.steps),
  }
  #state: RaceState
  #position: number
  readonly #keep: (state: RaceState) => void
  readonly #cast = new Cast()
  readonly #stage = new LandscapeStage((start) => this.#change({ start }))
  readonly #losses = chart(
    'Loss above the minimum',
    (surface) => drawLosses(surface, this.#scene()),
    'losses',
  )
  readonly #inside = new InsidePanel()
  readonly #telling = new Telling()
  readonly #stories = new StoryList((story) => this.tell(story))
  readonly #transport = new Transport({
    toggle: () => this.toggle(),
    step: (by) => this.step(by),
    scrub: (to) => this.#goTo(to),
    pace: (speed) => this.#show({ ...this.#state, speed }),
  })
  readonly #racers = new RacerList({
    of: () => this.#state.racers,
    change: (racers) => this.#changeRacers(racers),
    fewest: 1,
    most: mostRacers,
    scalable: true,
  })
  readonly #key = new RacerKey((selected) => this.#show({ ...this.#state, selected }))
  readonly #ground = new GroundForm(
    () => this.#state,
    (changes) => this.#change(changes),
  )
  readonly #failure = element('p', { class: 'warning', role: 'alert' })
  readonly #animation = new Animation(() => this.#draw())

  /** @param keep - is told every state that an address should lead back to. */
  constructor(state: RaceState, keep: (state: RaceState) => void) {
    this.#state = state
    this.#position = state.at
    this.#keep = keep
    const cards = element(
      'section',
      { class: 'entries' },
      element('h2', {}, 'Optimizers'),
      this.#racers.node,
    )
    this.node = element(
      'div',
      { class: 'race' },
      this.#stories.node,
      element(
        'div',
        { class: 'stage' },
        this.#telling.head,
        element(
          'div',
          { class: 'ground' },
          this.#key.node,
          this.#stage.node,
          this.#transport.node,
          this.#failure,
        ),
        element('div', { class: 'beside' }, this.#losses.node, this.#inside.node),
        this.#telling.verdict,
        cards,
        this.#ground.node,
      ),
    )
    this.#show(state)
  }

  /** Shows a state that came from elsewhere. */
  open(state: State): void {
    if (state.tab !== 'race') return
    this.#animation.stop()
    this.#position = state.at
    this.#show(state)
  }

  /** Tells a story from its start. */
  tell(story: string): void {
    this.open(told(story))
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches
    if (calm) this.#goTo(this.#state.steps)
    else this.toggle()
  }

  toggle(): void {
    if (this.#animation.running) {
      this.#goTo(Math.floor(this.#position))
      return
    }
    if (this.#position >= this.#state.steps) this.#position = 0
    let waited = 0
    this.#animation.start((seconds) => {
      this.#position = advanced(this.#position, seconds, this.#state)
      if (this.#position >= this.#state.steps) this.#goTo(this.#state.steps)
      else {
        const at = Math.floor(this.#position)
        this.#state = { ...this.#state, at }
        waited += seconds
        if (waited < chartRest) this.#stage.show(this.#scene())
        else {
          waited = 0
          this.#draw()
        }
      }
    })
    this.#draw()
  }

  step(by: number): void {
    this.#goTo(Math.min(Math.max(this.#state.at + by, 0), this.#state.steps))
  }

  /** Ends what runs, because another tab is shown. */
  pause(): void {
    if (this.#animation.running) this.toggle()
  }

  #goTo(at: number): void {
    this.#animation.stop()
    this.#position = at
    this.#show({ ...this.#state, at })
  }

  /** Changes the race, which then is no story any more. */
  #change(changes: Partial<RaceState>): void {
    this.#position = changes.at ?? this.#position
    this.#show({ ...this.#state, ...changes, story: undefined })
  }

  #changeRacers(racers: readonly Racer[]): void {
    const selected = Math.min(this.#state.selected, racers.length - 1)
    this.#change({ racers, selected })
  }

  #show(state: RaceState): void {
    if (!this.#animation.running) this.#position = state.at
    this.#state = state
    this.#stories.show(state.story)
    this.#racers.show(state.racers)
    this.#key.show(state.racers, state.selected)
    this.#ground.show(state)
    this.#draw()
    if (!this.#animation.running) this.#keep(state)
  }

  #draw(): void {
    const { racers, selected, steps, at, speed } = this.#state
    // First, so that it is told even where drawing is what fails.
    say(this.#failure, this.#animation.failure)
    this.#transport.show({ at, steps, speed, playing: this.#animation.running })
    const scene = this.#scene()
    this.#stage.show(scene)
    this.#losses.sheet.draw()
    const label = labelsOf(racers)[selected]
    const inside = scene.descents[selected].inside(at)
    this.#inside.show({ racer: racers[selected], label, index: selected, inside, steps })
    this.#racers.tell(scene.descents.map((descent) => standing(descent, at)))
    this.#telling.show(this.#state, scene.descents)
  }

  #scene(): Scene {
    const { course, start, steps, selected } = this.#state
    const descents = this.#cast.of(this.#state)
    return { course: courses[course], start, descents, selected, steps, position: this.#position }
  }
}

/** Where a racer stands. */
function standing(descent: Descent, at: number): string {
  const losses = descent.losses(at)
  return `at ${pointFigure(descent.at(at))} · loss ${figure(losses[losses.length - 1])}`
}
