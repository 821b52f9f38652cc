import {
  type Hyperparameters,
  noDecayOnBiasAndNorm,
  type OptimizerOptions,
  type Selector,
  type UpdateRule,
} from '@diffgrad/core'
import type { serialization } from '@tensorflow/tfjs-core'

/** The version of what `encode` gives. */
const format = 1

/** What a selector becomes in a configuration: strings there lose their underscores on the way. */
type Pattern = { readonly pattern: string; readonly flags: string } | 'biasAndNorm'

/**
 * The options of an optimizer as plain JSON, defaults included, so that they outlast a change of these.
 *
 * @throws TypeError if a group is selected by a function, which cannot be saved.
 */
export function encode<O extends Hyperparameters>(
  rule: UpdateRule<O>,
  { groups = [], ...options }: OptimizerOptions<O>,
): serialization.ConfigDict {
  const encoded = groups.map((group) => ({ ...group, parameters: pattern(rule, group.parameters) }))
  // Left out unless it was given: what it is by default depends on the backend.
  const defaults = { ...rule.defaults, epsilon: undefined }
  return JSON.parse(
    JSON.stringify({ format, rule: rule.name, ...defaults, ...options, groups: encoded }),
  )
}

/** What `encode` was given. */
export function decode(config: serialization.ConfigDict): object {
  // TensorFlow.js adds `customObjects`.
  const { format: _, rule: __, customObjects: ___, groups = [], ...options } = config
  if (!Array.isArray(groups))
    throw new TypeError(`a configuration's groups must be a list, but are ${groups}`)
  const decoded = groups.map((group) => {
    if (typeof group !== 'object' || group === null || Array.isArray(group)) {
      throw new TypeError(`a group must be an object, but is ${JSON.stringify(group)}`)
    }
    return { ...group, parameters: selector(group.parameters) }
  })
  return { ...options, groups: decoded }
}

/**
 * Makes sure that a configuration is one of this rule's.
 *
 * @throws TypeError naming what it is of.
 */
export function checkOrigin(
  { name }: { readonly name: string },
  config: serialization.ConfigDict,
): void {
  if ('rule' in config && config.rule !== name) {
    throw new TypeError(`${name}: the configuration is of ${config.rule}`)
  }
  if ('format' in config && config.format !== format) {
    throw new TypeError(
      `${name}: the configuration has format ${config.format}, but only format ${format} is known`,
    )
  }
}

/** Options in which lists of names are patterns: not all that they name may have come yet. */
export function lenient<O extends Hyperparameters>(
  options: OptimizerOptions<O>,
): OptimizerOptions<O> {
  const { groups = [] } = options
  if (!Array.isArray(groups)) return options // Whoever takes them says what they must be.
  const patterned = groups.map((group) => ({ ...group, parameters: anyOf(group.parameters) }))
  return { ...options, groups: patterned }
}

/** A selector that may be asked for more than there is. */
export function anyOf(given: Selector): Selector {
  if (!Array.isArray(given)) return given
  const names = given.map((name) => name.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'))
  return new RegExp(`^(?:${names.join('|')})$`)
}

function pattern({ name }: { readonly name: string }, given: Selector): Pattern {
  if (given === noDecayOnBiasAndNorm.parameters) return 'biasAndNorm'
  const selector = anyOf(given)
  if (!(selector instanceof RegExp)) {
    throw new TypeError(
      `${name}: a group that is selected by a function cannot be saved; select it by a RegExp or names`,
    )
  }
  // Underscores in other words.
  return { pattern: selector.source.replaceAll('_', '\\u005f'), flags: selector.flags }
}

function selector(encoded: unknown): Selector {
  if (encoded === 'biasAndNorm') return noDecayOnBiasAndNorm.parameters
  if (typeof encoded === 'object' && encoded !== null && 'pattern' in encoded) {
    const flags = 'flags' in encoded ? String(encoded.flags) : ''
    return new RegExp(String(encoded.pattern), flags)
  }
  throw new TypeError(`a group cannot be selected by ${JSON.stringify(encoded)}`)
}
