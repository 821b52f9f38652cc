import {
  adam,
  allRules,
  type OptionRange,
  optionTextOf,
  rangeOf,
  sgd,
  type UpdateRule,
} from '@diffgrad/core'

/** A setting that is an option of some rules. */
export interface RuleSetting {
  /** The name of the setting, and of its command-line option. */
  readonly key: string
  /** The name of the option in core. */
  readonly option: string
  readonly range: OptionRange
  /** A line for the help of the command line. */
  readonly description: string
  /** Whether it is true by default. */
  readonly isOn: boolean
}

/** Options of every rule, whose settings the schema lists itself. */
const common: ReadonlySet<string> = new Set(['learningRate', 'weightDecay', 'decay'])

/** Settings that are not called as the option in core: `--version` is the version of this program. */
const renamed: Readonly<Record<string, string>> = { version: 'friction' }

/** This program's defaults of options that some rules have, instead of those of Adam and of SGD. */
export const ruleDefaults: Readonly<Record<'beta1' | 'beta2' | 'epsilon' | 'momentum', number>> = {
  beta1: 0.95,
  beta2: 0.99,
  epsilon: 1e-6,
  momentum: 0.9,
}

const usualDefaults: object = { ...sgd.defaults, ...adam.defaults }

const optionOf = (options: object, name: string): unknown =>
  Object.entries(options).find(([key]) => key === name)?.[1]

/** The default of an option for a rule: this program's where the rule has the usual one, or else the rule's. */
export function ruleDefault(option: string, defaults: object): unknown {
  const own = optionOf(defaults, option)
  return own === optionOf(usualDefaults, option) ? (optionOf(ruleDefaults, option) ?? own) : own
}

const ownOptions = [...new Set(allRules.flatMap(({ defaults }) => Object.keys(defaults)))].filter(
  (option) => !common.has(option),
)

/** The rules whose default of an option is not `standard`, as `0.98 for adan`. */
const otherDefaults = (
  option: string,
  rules: readonly UpdateRule[],
  standard: number,
): readonly string[] =>
  rules.flatMap(({ name, defaults }) => {
    const own = ruleDefault(option, defaults)
    return own === standard ? [] : [`${own} for ${name.toLowerCase()}`]
  })

/** The options that only some rules have, derived from `allRules`. */
export const ruleSettings: readonly RuleSetting[] = ownOptions.map((option) => {
  const rules = allRules.filter(({ defaults }) => option in defaults)
  const range = rangeOf(rules[0], option)
  const { symbol, description = option } = optionTextOf(rules[0], option)
  const standard = ruleDefault(option, rules[0].defaults)
  const isOn = standard === true
  const line = symbol === undefined ? description : `${symbol}: ${description}`
  const notes = [
    ...(rules.length > 4 ? [] : [rules.map(({ name }) => name.toLowerCase()).join(', ')]),
    ...(typeof standard === 'number' && range.choices === undefined
      ? [`default: ${[standard, ...otherDefaults(option, rules, standard)].join(', ')}`]
      : []),
  ]
  return {
    key: renamed[option] ?? option,
    option,
    range,
    description: `${isOn ? 'no ' : ''}${line}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`,
    isOn,
  }
})
