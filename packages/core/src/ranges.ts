/** What an option may be, and how an error message says so. */
export interface Range {
  readonly text: string
  /** Whether a value is in the range. */
  holds(value: unknown): boolean
  /** Whether the option picks between equations, rather than being a number in one. */
  readonly choice?: boolean
}

const finite = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value)

/** A finite number that is not negative. */
export const nonNegative: Range = {
  text: 'a finite number, at least 0',
  holds: (value) => finite(value) && value >= 0,
}

/** A finite number above zero. */
export const positive: Range = {
  text: 'a finite number above 0',
  holds: (value) => finite(value) && value > 0,
}

/** The range of a decay rate such as β₁: below 1, so that the average can be corrected. */
export const fraction: Range = {
  text: 'in [0, 1)',
  holds: (value) => finite(value) && value >= 0 && value < 1,
}

/** A whole number from 1. */
export const count: Range = {
  text: 'a whole number, at least 1',
  holds: (value) => Number.isSafeInteger(value) && Number(value) >= 1,
}

/** One of a few values. */
export const oneOf = (...values: readonly (string | number | boolean)[]): Range => ({
  text: values.join(' or '),
  holds: (value) => values.some((allowed) => allowed === value),
  choice: true,
})

const known: Readonly<Record<string, Range>> = {
  learningRate: nonNegative,
  weightDecay: nonNegative,
  decay: oneOf('l2', 'decoupled'),
  momentum: fraction,
  nesterov: oneOf(false, true),
  beta1: fraction,
  beta2: fraction,
  epsilon: positive,
  amsgrad: oneOf(false, true),
  version: oneOf(0, 1, 2),
  aliased: oneOf(false, true),
  degenerateToSgd: oneOf(false, true),
  memoryLength: {
    text: 'a finite number, at least 1',
    holds: (value) => finite(value) && value >= 1,
  },
  averageStep: oneOf(false, true),
}

/** Any number but NaN and the infinities, which JSON has no words for. */
export const anyFinite: Range = { text: 'a finite number', holds: finite }

/** The range of an option: the rule's own, or the usual one for its name. */
export const rangeOf = (option: string, own: Readonly<Record<string, Range>> = {}): Range =>
  own[option] ?? known[option] ?? anyFinite

/**
 * Makes sure that an option is in its range.
 *
 * @throws RangeError naming the owner, the option, the range and the value.
 */
export function mustHold(owner: string, option: string, value: unknown, range: Range): void {
  if (range.holds(value)) return
  throw new RangeError(`${owner}: ${option} must be ${range.text}, but is ${String(value)}`)
}
