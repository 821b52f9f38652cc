import { optionTextOf, rangeOf } from '@diffgrad/core'
import { type OptimizerConfig, optionValue } from './config.ts'
import { type OptionValue, optimizers } from './registry.ts'

/** How one option is shown. */
interface OptionText {
  /** The label of its form control. */
  readonly title: string
  /** The titles of its values, if it is chosen from a list. */
  readonly choices?: Readonly<Record<string, string>>
  /** A value beside the name of an optimizer. */
  label(value: OptionValue): string
}

/** How an option of an optimizer is shown, as its rule describes it. */
export function optionText(name: string, option: string): OptionText {
  const { rule } = optimizers[name]
  const { choices } = rangeOf(rule, option)
  const { symbol, description = option, labels } = optionTextOf(rule, option)
  const title = symbol === undefined ? description : `${symbol} ${description}`
  if (choices === undefined) return { title, label: (value) => `${symbol ?? description} ${value}` }
  const label = (value: OptionValue): string => {
    if (typeof value === 'boolean') return labels?.[`${value}`] ?? (value ? title : `no ${title}`)
    return labels?.[value] ?? `${value}`
  }
  if (choices.includes(true)) return { title, label }
  return {
    title,
    label,
    choices: Object.fromEntries(choices.map((value) => [value, label(value)])),
  }
}

/** Labels optimizers by their titles, and by the options in which they differ. */
export function optimizerLabels(configs: readonly OptimizerConfig[]): readonly string[] {
  return configs.map((config) => {
    const { title, defaults } = optimizers[config.name]
    const sameName = configs.filter(({ name }) => name === config.name)
    const differing = Object.keys(defaults).filter((option) => {
      const compared = option === 'learningRate' ? configs : sameName
      const values = compared.map((other) => optionValue(other, option))
      return new Set(values.filter((value) => value !== undefined)).size > 1
    })
    const parts = differing.map((option) =>
      optionText(config.name, option).label(optionValue(config, option) ?? ''),
    )
    if (configs.some(({ lossScale }) => lossScale !== config.lossScale)) {
      parts.push(`loss × ${config.lossScale}`)
    }
    return [title, ...parts].join(' · ')
  })
}
