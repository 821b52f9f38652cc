import { captureSlow, followSlow, type Lookahead } from './averaging/lookahead.ts'
import {
  captureAverage,
  exchangeAverage,
  followAverage,
  type WeightAveraging,
} from './averaging/moving-average.ts'
import {
  accumulate,
  begin,
  bound,
  type ConditioningOptions,
  scale,
} from './gradient/conditioning.ts'
import type { Kernel } from './kernel.ts'
import { count, fraction, oneOf, positive, type Range } from './ranges.ts'

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
  const own = given.filter(([option]) => option in off)
  const surroundings = { ...off, ...rule.around, ...Object.fromEntries(own) }
  check(rule.name, surroundings)
  return { surroundings, rest: Object.fromEntries(given.filter(([option]) => !(option in off))) }
}

function check(name: string, given: Surroundings): void {
  const must = (option: string, value: unknown, range: Range): void => {
    if (!range.holds(value)) {
      throw new RangeError(`${name}: ${option} must be ${range.text}, but is ${value}`)
    }
  }
  const { clip, lookahead, averageWeights } = given
  must('centralize', given.centralize, oneOf(false, true))
  must('accumulate', given.accumulate, count)
  must('skipNotFinite', given.skipNotFinite, oneOf(false, true))
  if (clip) {
    must('clip.by', clip.by, oneOf('value', 'norm', 'globalNorm'))
    must('clip.limit', clip.limit, positive)
  }
  if (lookahead) {
    must('lookahead.every', lookahead.every, count)
    must('lookahead.alpha', lookahead.alpha, unitInterval)
  }
  if (averageWeights) must('averageWeights.decay', averageWeights.decay, fraction)
}
