import { element } from '../dom/element.ts'
import { courses, courseTitles } from '../race/course.ts'
import { mostSteps, type RaceState } from '../race/race-state.ts'
import { choice } from './choice.ts'
import { numberField } from './number-field.ts'

const hint =
  'Click or drag in the landscape to start elsewhere, or focus it and use the arrow keys. Space plays; comma and full stop step.'

/** Where the race is held: the landscape, the start, and how long it takes. */
export class GroundForm {
  readonly node: HTMLElement
  readonly #course: ReturnType<typeof choice>
  readonly #steps: ReturnType<typeof numberField>
  readonly #start: readonly ReturnType<typeof numberField>[]

  constructor(of: () => RaceState, change: (changes: Partial<RaceState>) => void) {
    this.#course = choice('Landscape', 'course', courseTitles, (course) =>
      change({ course, start: courses[course].start, at: 0 }),
    )
    this.#steps = numberField(
      'Steps',
      { name: 'steps', min: 1, max: mostSteps, whole: true },
      (steps) => change({ steps, at: Math.min(of().at, steps) }),
    )
    this.#start = ['x', 'y'].map((axis, i) =>
      numberField(`Start ${axis}`, { name: `start-${axis}` }, (value) =>
        change({ start: of().start.with(i, value) }),
      ),
    )
    const fields = [this.#course, this.#steps, ...this.#start].map(({ node }) => node)
    this.node = element(
      'section',
      { class: 'ground-settings' },
      element('h2', {}, 'Ground'),
      element('div', { class: 'setting' }, ...fields),
      element('p', { class: 'hint' }, hint),
    )
  }

  show({ course, steps, start }: RaceState): void {
    this.#course.show(course)
    this.#steps.show(steps)
    for (const [i, field] of this.#start.entries()) {
      field.node.hidden = i >= start.length
      if (i < start.length) field.show(start[i])
    }
  }
}
