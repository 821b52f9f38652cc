import { minimaOf } from '@diffgrad/testing/landscapes'
import { formatRounded } from '../format.ts'
import { landscapeTitles, landscapeViews } from '../landscapes.ts'
import { maxSwarmSteps, type SwarmState } from '../state.ts'
import { element } from '../ui/element.ts'
import { type Control, numberField, selectField } from '../ui/form-controls.ts'

/** The form of mode, landscape, view, swept option and steps. */
export class SwarmForm {
  readonly node: HTMLElement
  readonly #landscape: Control<string>
  readonly #mode: Control<string>
  readonly #view: Control<string>
  readonly #beta: Control<string>
  readonly #steps: Control<number>

  /** @param button - the first element of the form. */
  constructor(button: HTMLElement, onChange: (changes: Partial<SwarmState>) => void) {
    this.#landscape = selectField('Landscape', 'landscape', landscapeTitles, (landscape) =>
      onChange({ landscape }),
    )
    const modes = { starts: '40,000 starts', sweep: 'a sweep of settings' }
    this.#mode = selectField('Show', 'mode', modes, (mode) =>
      onChange({ mode: mode === 'sweep' ? 'sweep' : 'starts' }),
    )
    const views = { map: 'where each began', cloud: 'where each is' }
    this.#view = selectField('Draw', 'view', views, (view) =>
      onChange({ view: view === 'cloud' ? 'cloud' : 'map' }),
    )
    const options = { beta1: 'β₁', beta2: 'β₂' }
    this.#beta = selectField('Learning rate ×', 'beta', options, (beta) =>
      onChange({ beta: beta === 'beta2' ? 'beta2' : 'beta1' }),
    )
    const bounds = { name: 'steps', min: 1, max: maxSwarmSteps, whole: true }
    this.#steps = numberField('Steps', bounds, (steps) => onChange({ steps }))
    const fields = [this.#mode, this.#landscape, this.#view, this.#beta, this.#steps]
    this.node = element('div', { class: 'form-row' }, button, ...fields.map(({ node }) => node))
  }

  show({ mode, landscape, view, beta, steps }: SwarmState): void {
    const starts = mode === 'starts'
    this.#landscape.show(landscape)
    this.#mode.show(mode)
    this.#view.show(view)
    this.#beta.show(beta)
    this.#steps.show(steps)
    this.#view.node.hidden = !starts
    this.#beta.node.hidden = starts
    for (const option of this.#landscape.node.querySelectorAll('option')) {
      option.disabled = starts && landscapeViews[option.value].window.length === 1
    }
  }
}

/** The legend of the colors. The cloud has none. */
export class SwarmLegend {
  readonly node: HTMLElement = element('ul', { class: 'swarm-legend' })
  #shown = ''

  show({ mode, view, landscape, steps }: SwarmState): void {
    const shown = [mode, view, landscape, steps].join()
    if (shown === this.#shown) return
    this.#shown = shown
    this.node.hidden = mode === 'starts' && view === 'cloud'
    const items =
      mode === 'sweep'
        ? [gradientItem(0, 'all arrive … none do')]
        : [
            ...minimaOf(landscapeViews[landscape].landscape).map((minimum, i) =>
              gradientItem(i, `at ${formatRounded(minimum)}`),
            ),
            colorItem('unreached', 'elsewhere'),
            colorItem('diverged', 'lost to infinity'),
            element('li', {}, `strong: at once · pale: at step ${steps}`),
          ]
    this.node.replaceChildren(...items)
  }
}

const gradientItem = (series: number, text: string): HTMLElement => {
  const style = `--from: var(--series-${series})`
  return element('li', {}, element('span', { class: 'gradient', style }), text)
}

const colorItem = (className: string, text: string): HTMLElement =>
  element('li', {}, element('span', { class: `color ${className}` }), text)
