import { captureSlow, followSlow, type Lookahead } from './averaging/lookahead.ts'
import {
  captureAverage,
  exchangeAverage,
  followAverage,
  type WeightAveraging,
} from './averaging/moving-average.ts'
import { accumulate, begin, bound, type ConditioningOptions, scale } from './gradient/transforms.ts'
import type { Kernel } from './kernel.ts'
import { count, fraction, mustHold, oneOf, positive, type Range } from './ranges.ts'

/** What an optimizer does around its rule. All of it is off unless asked for, or part of the rule. */
export interface Surroundings extends ConditioningOptions {
  /** How many calls of `step` make one update, by the mean of their gradients: at least 1. */
  readonly accumulate: number
  /** Whether a step with a NaN or an infinity in any gradient leaves everything as it was. */
  readonly skipNotFinite: boolean
  readonly lookahead: Lookahead | false
  readonly averageWeights: WeightAveraging | false
}

const off: Surroundings = {
  centralize: false,
  clip: false,
  accumulate: 1,
  skipNotFinite: false,
  lookahead: false,
  averageWeights: false,
}

/** Every kernel that runs around a rule, for backends that prepare kernels ahead of time. */
export const surroundingKernels: readonly Kernel[] = [
  begin,
  accumulate,
  bound,
  scale,
  captureSlow,
  followSlow,
  captureAverage,
  followAverage,
  exchangeAverage,
]

const unitInterval: Range = {
  text: 'in (0, 1]',
  holds: (value) => typeof value === 'number' && value > 0 && value <= 1,
}

const either = oneOf(false, true)

/** Surroundings that are switched on by options of their own. */
const parts: Readonly<Record<string, Readonly<Record<string, Range>>>> = {
  clip: { by: oneOf('value', 'norm', 'globalNorm'), limit: positive },
  lookahead: { every: count, alpha: unitInterval },
  averageWeights: { decay: fraction },
}

/**
 * Splits options into those about the surroundings, completed and checked, and all others.
 *
 * @throws RangeError naming the first option out of range.
 */
export function splitSurroundings(
  rule: { readonly name: string; readonly around?: Partial<Surroundings> },
  options: object,
): { readonly surroundings: Surroundings; readonly rest: object } {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const isOwn = ([option]: readonly [string, unknown]): boolean => Object.hasOwn(off, option)
  const surroundings = { ...off, ...rule.around, ...Object.fromEntries(given.filter(isOwn)) }
  check(rule.name, surroundings)
  return { surroundings, rest: Object.fromEntries(given.filter((entry) => !isOwn(entry))) }
}

function check(name: string, given: Surroundings): void {
  mustHold(name, 'centralize', given.centralize, either)
  mustHold(name, 'accumulate', given.accumulate, count)
  mustHold(name, 'skipNotFinite', given.skipNotFinite, either)
  for (const [part, ranges] of Object.entries(parts)) {
    const value: unknown = given[part as keyof Surroundings] // The parts are surroundings.
    if (value === false) continue
    mustHold(name, part, value, {
      text: `false or { ${Object.keys(ranges).join(', ')} }`,
      holds: (options) => typeof options === 'object' && options !== null,
    })
    const options = new Map(Object.entries(value as object)) // As was just made sure.
    const unknown = [...options.keys()].find((option) => !Object.hasOwn(ranges, option))
    if (unknown !== undefined) throw new RangeError(`${name}: ${part} has no option ${unknown}`)
    for (const [option, range] of Object.entries(ranges)) {
      mustHold(name, `${part}.${option}`, options.get(option), range)
    }
  }
}
