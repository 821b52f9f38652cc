import {
  type OptimizerConfig,
  optionValue,
  validationError,
  withOption,
} from '../optimizers/config.ts'
import { optionText } from '../optimizers/option-text.ts'
import { type OptionValue, optimizers } from '../optimizers/registry.ts'
import { element, setText } from './element.ts'
import { type Control, checkboxField, numberField, selectField } from './form-controls.ts'

/**
 * A form of all options of an optimizer but the learning rate. An invalid value is not applied; the
 * form shows the library's error message.
 *
 * @param current - returns the config that is shown.
 * @param onChange - gets the config with one option changed.
 * @param options.scalable - include the loss scale.
 */
export function optionsForm(
  current: () => OptimizerConfig,
  onChange: (config: OptimizerConfig) => void,
  { scalable }: { readonly scalable: boolean },
): Control<OptimizerConfig> {
  const warning = element('p', { class: 'warning', role: 'alert' })
  const apply = (changed: OptimizerConfig): void => {
    const error = validationError(changed)
    setText(warning, error ?? '')
    if (error === undefined) onChange(changed)
    else show(current())
  }
  const controls = Object.entries(optimizers[current().name].defaults)
    .filter(([option]) => option !== 'learningRate')
    .map(([option, standard]) => ({
      option,
      ...optionControl(optionText(current().name, option), option, standard, (value) =>
        apply(withOption(current(), option, value)),
      ),
    }))
  const lossScale = numberField(
    'loss multiplied by',
    { name: 'lossScale', min: 1e-6, max: 1e6 },
    (value) => onChange({ ...current(), lossScale: value }),
  )
  function show(config: OptimizerConfig): void {
    for (const { option, show } of controls) show(optionValue(config, option) ?? '')
    lossScale.show(config.lossScale)
  }
  const node = element(
    'div',
    { class: 'options' },
    ...controls.map(({ node }) => node),
    scalable ? lossScale.node : undefined,
    warning,
  )
  return { node, show }
}

/** The control that fits an option's default value. */
function optionControl(
  { title, choices }: ReturnType<typeof optionText>,
  option: string,
  standard: OptionValue,
  onChange: (value: OptionValue) => void,
): Control<OptionValue> {
  if (choices) {
    const { node, show } = selectField(title, option, choices, (value) =>
      onChange(typeof standard === 'number' ? Number(value) : value),
    )
    return { node, show: (value) => show(`${value}`) }
  }
  if (typeof standard === 'boolean') {
    const { node, show } = checkboxField(title, option, onChange)
    return { node, show: (value) => show(value === true) }
  }
  const { node, show } = numberField(title, { name: option }, onChange)
  return { node, show: (value) => show(Number(value)) }
}
