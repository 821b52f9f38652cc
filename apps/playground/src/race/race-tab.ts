import { formatNumber, formatPoint } from '../format.ts'
import { landscapeViews } from '../landscapes.ts'
import { optimizerLabels } from '../optimizers/option-text.ts'
import { maxRaceOptimizers, type RaceState, type State } from '../state.ts'
import { Animation } from '../ui/animation.ts'
import { chart } from '../ui/chart.ts'
import { element, setText } from '../ui/element.ts'
import { OptimizerList } from '../ui/optimizer-list.ts'
import type { KeyActions, Tab } from '../ui/tab.ts'
import { InternalsPanel } from './internals-panel.ts'
import { LandscapeCanvas } from './landscape-canvas.ts'
import { drawLossChart } from './loss-chart.ts'
import { PlaybackControls, RaceForm, RaceLegend } from './race-controls.ts'
import { advancePosition, type Scene } from './scene.ts'
import { storyState } from './stories.ts'
import { StoryMenu, StoryText } from './story-panel.ts'
import { type Trajectory, TrajectoryCache } from './trajectory.ts'

/** The landscape is drawn at every frame, texts and charts only after so many seconds. */
const chartInterval = 0.03

/** The tab in which optimizers race down a landscape. */
export class RaceTab implements Tab {
  readonly node: HTMLElement
  readonly keys: KeyActions = {
    ' ': () => this.#toggle(),
    ',': () => this.#stepBy(-1),
    '.': () => this.#stepBy(1),
    Home: () => this.#seek(0),
    End: () => this.#seek(this.#state.steps),
  }
  #state: RaceState
  /** The position in time, in steps; fractional while the race plays. */
  #position: number
  readonly #onChange: (state: RaceState) => void
  readonly #trajectories = new TrajectoryCache()
  readonly #canvas = new LandscapeCanvas((start) => this.#change({ start }))
  readonly #lossChart = chart(
    'Loss above the minimum',
    (target) => drawLossChart(target, this.#scene()),
    'losses',
  )
  readonly #internals = new InternalsPanel()
  readonly #storyText = new StoryText()
  readonly #storyMenu = new StoryMenu((story) => this.#playStory(story))
  readonly #playback = new PlaybackControls({
    toggle: () => this.#toggle(),
    stepBy: (steps) => this.#stepBy(steps),
    seek: (step) => this.#seek(step),
    setSpeed: (speed) => this.#show({ ...this.#state, speed }),
  })
  readonly #optimizers = new OptimizerList({
    current: () => this.#state.optimizers,
    onChange: (optimizers) => {
      const selected = Math.min(this.#state.selected, optimizers.length - 1)
      this.#change({ optimizers, selected })
    },
    min: 1,
    max: maxRaceOptimizers,
    scalable: true,
  })
  readonly #legend = new RaceLegend((selected) => this.#show({ ...this.#state, selected }))
  readonly #form = new RaceForm(
    () => this.#state,
    (changes) => this.#change(changes),
  )
  readonly #error = element('p', { class: 'warning', role: 'alert' })
  readonly #animation = new Animation(() => this.#draw())

  /** @param options.plays - play a story at once. */
  constructor(
    state: RaceState,
    onChange: (state: RaceState) => void,
    { plays = false }: { readonly plays?: boolean } = {},
  ) {
    this.#state = state
    this.#position = state.currentStep
    this.#onChange = onChange
    const landscape = element(
      'div',
      { class: 'landscape-column' },
      this.#legend.node,
      this.#canvas.node,
      this.#playback.node,
      this.#error,
    )
    const charts = element(
      'div',
      { class: 'chart-column' },
      this.#lossChart.node,
      this.#internals.node,
    )
    this.node = element(
      'div',
      { class: 'race' },
      this.#storyMenu.node,
      element(
        'div',
        { class: 'race-content' },
        this.#storyText.header,
        this.#storyText.outcome,
        landscape,
        charts,
        this.#storyText.explanation,
        this.#optimizers.node,
        this.#form.node,
      ),
    )
    if (plays && state.story !== undefined) this.#playStory(state.story)
    else this.#show(state)
  }

  open(state: State): void {
    if (state.tab !== 'race') return
    this.#animation.stop()
    this.#show(state)
  }

  pause(): void {
    if (this.#animation.running) this.#toggle()
  }

  /** Plays a story from its start; with reduced motion, shows its end. */
  #playStory(story: string): void {
    this.open(storyState(story))
    const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)').matches
    if (reducedMotion) this.#seek(this.#state.steps)
    else this.#toggle()
  }

  /** Plays or pauses. */
  #toggle(): void {
    if (this.#animation.running) {
      this.#seek(Math.floor(this.#position))
      return
    }
    if (this.#position >= this.#state.steps) this.#position = 0
    let sinceCharts = 0
    this.#animation.start((seconds) => {
      this.#position = advancePosition(this.#position, seconds, this.#state)
      if (this.#position >= this.#state.steps) {
        this.#seek(this.#state.steps)
        return
      }
      this.#state = { ...this.#state, currentStep: Math.floor(this.#position) }
      sinceCharts += seconds
      if (sinceCharts < chartInterval) this.#canvas.show(this.#scene())
      else {
        sinceCharts = 0
        this.#draw()
      }
    })
    this.#draw()
  }

  #stepBy(steps: number): void {
    this.#seek(Math.min(Math.max(this.#state.currentStep + steps, 0), this.#state.steps))
  }

  /** Pauses, and shows a step. */
  #seek(currentStep: number): void {
    this.#animation.stop()
    this.#show({ ...this.#state, currentStep })
  }

  /** Changes the race, which then is not a story any more. */
  #change(changes: Partial<RaceState>): void {
    this.#position = changes.currentStep ?? this.#position
    this.#show({ ...this.#state, ...changes, story: undefined })
  }

  #show(state: RaceState): void {
    if (!this.#animation.running) this.#position = state.currentStep
    this.#state = state
    this.#storyMenu.show(state.story)
    this.#optimizers.show(state.optimizers)
    this.#legend.show(state.optimizers, state.selected)
    this.#form.show(state)
    this.#draw()
    if (!this.#animation.running) this.#onChange(state)
  }

  #draw(): void {
    const { optimizers, selected, steps, currentStep } = this.#state
    // First, so that the error is visible even if drawing itself throws.
    setText(this.#error, this.#animation.error)
    this.#playback.show(this.#state, this.#animation.running)
    const scene = this.#scene()
    this.#canvas.show(scene)
    this.#lossChart.layer.draw()
    this.#internals.show({
      config: optimizers[selected],
      label: optimizerLabels(optimizers)[selected],
      color: selected,
      internals: scene.trajectories[selected].internals(currentStep),
      steps,
    })
    this.#optimizers.showStatus(scene.trajectories.map((path) => statusAt(path, currentStep)))
    this.#storyText.show(this.#state, scene.trajectories)
  }

  #scene(): Scene {
    const { landscape, start, steps, selected } = this.#state
    return {
      view: landscapeViews[landscape],
      start,
      trajectories: this.#trajectories.of(this.#state),
      selected,
      steps,
      position: this.#position,
    }
  }
}

function statusAt(trajectory: Trajectory, step: number): string {
  const losses = trajectory.losses(step)
  return `at ${formatPoint(trajectory.at(step))} · loss ${formatNumber(losses[losses.length - 1])}`
}
