import { element } from '../dom/element.ts'
import { courses, courseTitles } from '../race/course.ts'
import { mostSwarmSteps, type SwarmState } from '../swarm/swarm-state.ts'
import { choice } from './choice.ts'
import { numberField } from './number-field.ts'

/** What is tried, where, and how it is drawn. */
export class SwarmForm {
  readonly node: HTMLElement
  readonly #course: ReturnType<typeof choice>
  readonly #mode: ReturnType<typeof choice>
  readonly #view: ReturnType<typeof choice>
  readonly #beta: ReturnType<typeof choice>
  readonly #steps: ReturnType<typeof numberField>

  /** @param first - what stands before the settings. */
  constructor(first: HTMLElement, change: (changes: Partial<SwarmState>) => void) {
    this.#course = choice('Landscape', 'course', courseTitles, (course) => change({ course }))
    const modes = { starts: '40,000 starts', sweep: 'a sweep of settings' }
    this.#mode = choice('Show', 'mode', modes, (mode) =>
      change({ mode: mode === 'sweep' ? 'sweep' : 'starts' }),
    )
    const views = { map: 'where each began', cloud: 'where each is' }
    this.#view = choice('Draw', 'view', views, (view) =>
      change({ view: view === 'cloud' ? 'cloud' : 'map' }),
    )
    this.#beta = choice('Learning rate ×', 'beta', { beta1: 'β₁', beta2: 'β₂' }, (beta) =>
      change({ beta: beta === 'beta2' ? 'beta2' : 'beta1' }),
    )
    const bounds = { name: 'steps', min: 1, max: mostSwarmSteps, whole: true }
    this.#steps = numberField('Steps', bounds, (steps) => change({ steps }))
    const fields = [this.#mode, this.#course, this.#view, this.#beta, this.#steps]
    this.node = element('div', { class: 'setting' }, first, ...fields.map(({ node }) => node))
  }

  show({ mode, course, view, beta, steps }: SwarmState): void {
    const starts = mode === 'starts'
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
  }
}
