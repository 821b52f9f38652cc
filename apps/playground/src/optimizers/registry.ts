import { ArraysOptimizer, type ArraysOptions, type FloatArray } from '@diffgrad/arrays'
import { allRules, type Hyperparameters, type UpdateRule } from '@diffgrad/core'

/** The value of an option, as a form control shows it. */
export type OptionValue = number | boolean | string

/** Options by name. */
export type Options = Readonly<Record<string, OptionValue>>

/** An optimizer that users can choose. */
export interface OptimizerEntry {
  readonly title: string
  readonly defaults: Options
  readonly rule: UpdateRule
  /**
   * Creates an optimizer of one parameter named `theta`, a vector.
   *
   * @throws RangeError naming an option that is out of range.
   */
  create(theta: FloatArray, options: Options): ArraysOptimizer
}

const isOptionValue = (value: unknown): value is OptionValue =>
  ['number', 'boolean', 'string'].includes(typeof value)

const entryOf = (rule: UpdateRule): OptimizerEntry => ({
  title: rule.name,
  rule,
  defaults: Object.fromEntries(
    Object.entries(rule.defaults).flatMap(([option, value]: [string, unknown]) =>
      isOptionValue(value) ? [[option, value]] : [],
    ),
  ),
  create(theta, options) {
    const parameters = { theta: { values: theta, shape: [theta.length] } }
    // The constructor itself checks the names and values of the options.
    return new ArraysOptimizer(rule, parameters, { ...options } as ArraysOptions<Hyperparameters>)
  },
})

/** All optimizers, by their names in URLs: the rule's name in lower case. */
export const optimizers: Readonly<Record<string, OptimizerEntry>> = Object.fromEntries(
  allRules.map((rule) => [rule.name.toLowerCase(), entryOf(rule)]),
)

export const isOptimizerName = (name: string): boolean => Object.hasOwn(optimizers, name)
