import { element, say } from '../dom/element.ts'
import { complaint } from '../optimizers/complaint.ts'
import { field, type OptionValue } from '../optimizers/field.ts'
import { optionOf, type Racer, withOption } from '../optimizers/racer.ts'
import { choice, tick } from './choice.ts'
import { numberField } from './number-field.ts'

/** What people call the options. */
const titles: Readonly<Record<string, string>> = {
  learningRate: 'α learning rate',
  weightDecay: 'λ weight decay',
  decay: 'kind of decay',
  beta1: 'β₁',
  beta2: 'β₂',
  epsilon: 'ε',
  version: 'version of ξ',
  aliased: 'the original’s fault (aliased: ξ = ½)',
  amsgrad: 'AMSGrad',
  momentum: 'μ momentum',
  nesterov: 'Nesterov',
  memoryLength: 'memory length',
  averageStep: 'average the step with its bound',
  degenerateToSgd: 'momentum before the variance is known',
}

const words: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  version: { 0: '0 · the paper’s', 1: '1 · signed', 2: '2 · up to 5' },
  decay: { l2: 'L2', decoupled: 'decoupled' },
}

/** The controls of all options of an optimizer. */
export interface OptionsForm {
  readonly node: HTMLElement
  show(racer: Racer): void
}

/**
 * @param omit - options that stand elsewhere.
 * @param change - is told the racer with one option changed, if the library takes it.
 */
export function optionsForm(
  of: () => Racer,
  change: (racer: Racer) => void,
  { scalable, omit = [] }: { readonly scalable: boolean; readonly omit?: readonly string[] },
): OptionsForm {
  const warning = element('p', { class: 'warning', role: 'alert' })
  const attempt = (changed: Racer): void => {
    const objection = complaint(changed)
    say(warning, objection ?? '')
    if (objection === undefined) change(changed)
    else show(of())
  }
  const set = (option: string) => (value: OptionValue) => attempt(withOption(of(), option, value))
  const controls = Object.entries(field[of().name].defaults)
    .filter(([option]) => !omit.includes(option))
    .map(([option, standard]) => {
      const title = titles[option] ?? option
      if (option in words) {
        const { node, show } = choice(title, option, words[option], (word) =>
          set(option)(typeof standard === 'number' ? Number(word) : word),
        )
        return { option, node, show: (value: OptionValue) => show(`${value}`) }
      }
      if (typeof standard === 'boolean') {
        const { node, show } = tick(title, option, set(option))
        return { option, node, show: (value: OptionValue) => show(value === true) }
      }
      const { node, show } = numberField(title, { name: option }, set(option))
      return { option, node, show: (value: OptionValue) => show(Number(value)) }
    })
  const scale = numberField(
    'loss multiplied by',
    { name: 'lossScale', min: 1e-6, max: 1e6 },
    (value) => change({ ...of(), lossScale: value }),
  )
  function show(racer: Racer): void {
    for (const { option, show } of controls) show(optionOf(racer, option) ?? '')
    scale.show(racer.lossScale)
  }
  const nodes = controls.map(({ node }) => node)
  const node = element(
    'div',
    { class: 'options' },
    ...nodes,
    scalable ? scale.node : undefined,
    warning,
  )
  return { node, show }
}
