import { minimaOf } from '@diffgrad/testing/landscapes'
import { element } from '../dom/element.ts'
import { courses } from '../race/course.ts'
import { pointFigure } from '../race/figures.ts'
import type { SwarmState } from '../swarm/swarm-state.ts'

/** What the colours of the map mean. */
export class SwarmLegend {
  readonly node: HTMLElement = element('ul', { class: 'legend' })
  #key = ''

  show({ mode, view, course, steps }: SwarmState): void {
    const key = [mode, view, course, steps].join()
    if (key === this.#key) return
    this.#key = key
    this.node.hidden = mode === 'starts' && view === 'cloud'
    const ramp = (colour: number, text: string): HTMLElement =>
      element(
        'li',
        {},
        element('span', { class: 'ramp', style: `--from: var(--racer-${colour})` }),
        text,
      )
    const patch = (kind: string, text: string): HTMLElement =>
      element('li', {}, element('span', { class: `patch ${kind}` }), text)
    const minima = minimaOf(courses[course].landscape)
    const lines =
      mode === 'sweep'
        ? [ramp(0, 'all arrive … none do')]
        : [
            ...minima.map((minimum, i) =>
              ramp(
                i,
                `at ${pointFigure(minimum.map((x) => Math.round(100 * x) / 100)).replace(/(\.\d\d)00/g, '$1')}`,
              ),
            ),
            patch('elsewhere', 'elsewhere'),
            patch('gone', 'lost to infinity'),
            element('li', {}, `strong: at once · pale: at step ${steps}`),
          ]
    this.node.replaceChildren(...lines)
  }
}
