import type { CommonOptions, Settings, UpdateRule } from './rule.ts'
import { settingsOf } from './settings.ts'

/** A parameter: the array that is trained, and its shape, where the array itself does not tell. */
export interface Parameter<T> {
  readonly name: string
  readonly value: T
  /** Row-major; unknown where left out. */
  readonly shape?: readonly number[]
}

/** Which parameters: those whose names match, or that are listed, or for which a function says so. */
export type Selector =
  | RegExp
  | readonly string[]
  | ((parameter: { readonly name: string; readonly shape?: readonly number[] }) => boolean)

/** Settings for some parameters only. */
export type GroupSettings<O> = Partial<Settings<O>> & { readonly parameters: Selector }

const biasOrNorm =
  /(^|[._/-])(bias|b|beta|gamma|(batch|layer|group|instance|rms)?_?norm\d*|bn\d*)([._/-]|$)/i

/**
 * The usual exception from weight decay: biases, and the scales and shifts of normalization layers,
 * recognized by having fewer than two axes or, where the shape is unknown, by their names.
 */
export const noDecayOnBiasAndNorm: {
  readonly parameters: Selector
  readonly weightDecay: number
} = {
  parameters: ({ name, shape }) => (shape ? shape.length < 2 : biasOrNorm.test(name)),
  weightDecay: 0,
}

/** Whether a selector takes a parameter. */
export const selects = (
  selector: Selector,
  parameter: { readonly name: string; readonly shape?: readonly number[] },
): boolean =>
  typeof selector === 'function'
    ? selector(parameter)
    : selector instanceof RegExp
      ? parameter.name.search(selector) >= 0
      : selector.includes(parameter.name)

/** Parameters that share all their settings. */
export interface Partition<T, O> {
  readonly settings: Settings<O>
  readonly parameters: readonly Parameter<T>[]
}

/**
 * Sorts parameters by their settings: the base settings, changed by every group that selects the
 * parameter, the last one having the last word.
 *
 * @throws RangeError if a listed name is no parameter's.
 */
export function partition<T, O extends CommonOptions>(
  rule: UpdateRule<O>,
  parameters: readonly Parameter<T>[],
  base: Partial<Settings<O>>,
  groups: readonly GroupSettings<O>[],
): readonly Partition<T, O>[] {
  const names = new Set(parameters.map(({ name }) => name))
  for (const { parameters: selector } of groups) {
    if (!Array.isArray(selector)) continue
    const unknown = selector.find((name) => !names.has(name))
    if (unknown !== undefined) {
      throw new RangeError(`${rule.name}: a group names ${unknown}, which is no parameter`)
    }
  }
  const partitions = new Map<string, { settings: Settings<O>; parameters: Parameter<T>[] }>()
  for (const parameter of parameters) {
    const changes = groups
      .filter((group) => selects(group.parameters, parameter))
      .map(({ parameters: _, ...settings }) => settings as unknown as Partial<Settings<O>>)
    const settings = settingsOf(rule, base, ...changes)
    const key = JSON.stringify(settings)
    const found = partitions.get(key) ?? { settings, parameters: [] }
    partitions.set(key, found)
    found.parameters.push(parameter)
  }
  return [...partitions.values()]
}
