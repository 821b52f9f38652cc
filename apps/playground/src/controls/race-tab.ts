import type { State } from '../address/address.ts'
import { told } from '../address/race-code.ts'
import { element } from '../dom/element.ts'
import { drawLosses } from '../draw/loss-chart.ts'
import { Sheet } from '../draw/sheet.ts'
import { labelsOf } from '../optimizers/labels.ts'
import type { Racer } from '../optimizers/racer.ts'
import type { KeyActions } from '../page/keys.ts'
import type { Tab } from '../page/tab.ts'
import { Cast } from '../race/cast.ts'
import { advanced } from '../race/clock.ts'
import { courses } from '../race/course.ts'
import type { Descent } from '../race/descent.ts'
import { figure, pointFigure } from '../race/figures.ts'
import { mostRacers, mostSteps, type RaceState } from '../race/race-state.ts'
import type { Scene } from '../race/scene.ts'
import { choice } from './choice.ts'
import { InsidePanel } from './inside-panel.ts'
import { LandscapeStage } from './landscape-stage.ts'
import { numberField } from './number-field.ts'
import { RacerKey } from './racer-key.ts'
import { RacerList } from './racer-list.ts'
import { StoryList } from './story-list.ts'
import { Telling } from './telling.ts'
import { Transport } from './transport.ts'

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
  #playing = false
  readonly #keep: (state: RaceState) => void
  readonly #cast = new Cast()
  readonly #stage = new LandscapeStage((start) => this.#change({ start }))
  readonly #losses: Sheet
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
  readonly #course = choice('Landscape', 'course', courseTitles, (course) =>
    this.#change({ course, start: courses[course].start, at: 0 }),
  )
  readonly #steps = numberField(
    'Steps',
    { name: 'steps', min: 1, max: mostSteps, whole: true },
    (steps) => this.#change({ steps, at: Math.min(this.#state.at, steps) }),
  )
  readonly #start = ['x', 'y'].map((axis, i) =>
    numberField(`Start ${axis}`, { name: `start-${axis}` }, (value) =>
      this.#change({ start: this.#state.start.with(i, value) }),
    ),
  )

  /** @param keep - is told every state that an address should lead back to. */
  constructor(state: RaceState, keep: (state: RaceState) => void) {
    this.#state = state
    this.#position = state.at
    this.#keep = keep
    const canvas = element('canvas', {
      class: 'losses',
      role: 'img',
      'aria-label':
        'Loss above the lowest, against the step, on a logarithmic scale. The figures are in the list of optimizers.',
    })
    this.#losses = new Sheet(canvas, (surface) => drawLosses(surface, this.#scene()))
    const start = this.#start.map(({ node }) => node)
    this.node = element(
      'div',
      { class: 'race' },
      this.#stories.node,
      element(
        'div',
        { class: 'stage' },
        this.#telling.head,
        element('div', { class: 'ground' }, this.#key.node, this.#stage.node, this.#transport.node),
        element(
          'div',
          { class: 'beside' },
          element(
            'section',
            { class: 'loss' },
            element('h2', {}, 'Loss above the minimum'),
            canvas,
          ),
          this.#inside.node,
        ),
        this.#telling.verdict,
        element(
          'section',
          { class: 'entries' },
          element('h2', {}, 'Optimizers'),
          this.#racers.node,
        ),
        element(
          'section',
          { class: 'ground-settings' },
          element('h2', {}, 'Ground'),
          element('div', { class: 'setting' }, this.#course.node, this.#steps.node, ...start),
          element('p', { class: 'hint' }, hint),
        ),
      ),
    )
    this.#show(state)
  }

  /** Shows a state that came from elsewhere. */
  open(state: State): void {
    if (state.tab !== 'race') return
    this.#playing = false
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
    this.#playing = !this.#playing
    if (!this.#playing) {
      this.#goTo(Math.floor(this.#position))
      return
    }
    if (this.#position >= this.#state.steps) this.#position = 0
    let before = performance.now()
    const frame = (now: number): void => {
      if (!this.#playing || !this.node.isConnected) return
      this.#position = advanced(this.#position, (now - before) / 1000, this.#state)
      before = now
      if (this.#position >= this.#state.steps) {
        this.#goTo(this.#state.steps)
        return
      }
      this.#state = { ...this.#state, at: Math.floor(this.#position) }
      this.#draw()
      requestAnimationFrame(frame)
    }
    requestAnimationFrame(frame)
    this.#draw()
  }

  step(by: number): void {
    this.#goTo(Math.min(Math.max(this.#state.at + by, 0), this.#state.steps))
  }

  /** Ends what runs, because another tab is shown. */
  pause(): void {
    if (this.#playing) this.toggle()
  }

  #goTo(at: number): void {
    this.#playing = false
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
    if (!this.#playing) this.#position = state.at
    this.#state = state
    this.#stories.show(state.story)
    this.#racers.show(state.racers)
    this.#key.show(state.racers, state.selected)
    this.#course.show(state.course)
    this.#steps.show(state.steps)
    for (const [i, field] of this.#start.entries()) {
      field.node.hidden = i >= state.start.length
      if (i < state.start.length) field.show(state.start[i])
    }
    this.#draw()
    if (!this.#playing) this.#keep(state)
  }

  #draw(): void {
    const { racers, selected, steps, at, speed } = this.#state
    const scene = this.#scene()
    this.#stage.show(scene)
    this.#losses.draw()
    const label = labelsOf(racers)[selected]
    const inside = scene.descents[selected].inside(at)
    this.#inside.show({ racer: racers[selected], label, index: selected, inside, steps })
    this.#transport.show({ at, steps, speed, playing: this.#playing })
    this.#racers.tell(scene.descents.map((descent) => standing(descent, at)))
    this.#telling.show(this.#state, scene.descents)
  }

  #scene(): Scene {
    const { course, start, steps, selected } = this.#state
    const descents = this.#cast.of(this.#state)
    return { course: courses[course], start, descents, selected, steps, position: this.#position }
  }
}

const hint =
  'Click or drag in the landscape to start elsewhere, or focus it and use the arrow keys. Space plays; comma and full stop step.'

const courseTitles: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(courses).map(([name, { title }]) => [name, title]),
)

/** Where a racer stands. */
function standing(descent: Descent, at: number): string {
  const losses = descent.losses(at)
  return `at ${pointFigure(descent.at(at))} · loss ${figure(losses[losses.length - 1])}`
}
