/** The values that an option may have. */
export interface OptionRange {
  /** The range as an error message states it, after "must be". */
  readonly text: string
  includes(value: unknown): boolean
  /**
   * All values, if the option selects between equations. Such an option cannot differ between a state
   * dict and the optimizer that loads it.
   */
  readonly choices?: readonly (string | number | boolean)[]
}

const isFiniteNumber = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value)

/** Any number but NaN and the infinities, which JSON cannot represent. */
export const anyFinite: OptionRange = { text: 'a finite number', includes: isFiniteNumber }

/** A finite number that is not negative. */
export const nonNegative: OptionRange = {
  text: 'a finite number, at least 0',
  includes: (value) => isFiniteNumber(value) && value >= 0,
}

/** A finite number above zero. */
export const positive: OptionRange = {
  text: 'a finite number above 0',
  includes: (value) => isFiniteNumber(value) && value > 0,
}

/** The range of a decay rate such as β₁: below 1, so that bias correction does not divide by zero. */
export const fraction: OptionRange = {
  text: 'in [0, 1)',
  includes: (value) => isFiniteNumber(value) && value >= 0 && value < 1,
}

/** A whole number from 1. */
export const positiveInteger: OptionRange = {
  text: 'a whole number, at least 1',
  includes: (value) => Number.isSafeInteger(value) && Number(value) >= 1,
}

/** One of a few values. */
export const oneOf = (...choices: readonly (string | number | boolean)[]): OptionRange => ({
  text: choices.join(' or '),
  includes: (value) => choices.some((choice) => choice === value),
  choices,
})

const boolean = oneOf(false, true)

const rangesByName: Readonly<Record<string, OptionRange>> = {
  learningRate: nonNegative,
  weightDecay: nonNegative,
  decay: oneOf('l2', 'decoupled'),
  momentum: fraction,
  nesterov: boolean,
  beta1: fraction,
  beta2: fraction,
  epsilon: positive,
  amsgrad: boolean,
  version: oneOf(0, 1, 2),
  aliased: boolean,
  degenerateToSgd: boolean,
  memoryLength: {
    text: 'a finite number, at least 1',
    includes: (value) => isFiniteNumber(value) && value >= 1,
  },
  averageStep: boolean,
}

/** The range of a hyperparameter: the rule's own, or else the common one of that name. */
export const rangeOf = (
  { ranges = {} }: { readonly ranges?: Readonly<Record<string, OptionRange>> },
  option: string,
): OptionRange => ranges[option] ?? rangesByName[option] ?? anyFinite

/**
 * Checks that a value is in its range.
 *
 * @throws RangeError naming the owner, the option, the range and the value.
 */
export function checkRange(
  owner: string,
  option: string,
  value: unknown,
  range: OptionRange,
): void {
  if (range.includes(value)) return
  throw new RangeError(`${owner}: ${option} must be ${range.text}, but is ${String(value)}`)
}
