/** The values that an option may have. */
export interface OptionRange {
  /** The range as an error message states it, after "must be". */
  readonly text: string
  /** Whether a value is in the range. */
  includes(value: unknown): boolean
  /**
   * All values, if the option selects between equations. Such an option cannot differ between a state
   * dict and the optimizer that loads it.
   */
  readonly choices?: readonly (string | number | boolean)[]
}

/** What an option is, for forms and for the help of a command. */
export interface OptionText {
  /** The letter of the option in the equations, such as `β₁`. */
  readonly symbol?: string
  /** What the option is, in a few words. */
  readonly description?: string
  /** The names of the choices, by their values, where the values do not tell. */
  readonly labels?: Readonly<Record<string, string>>
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

/** A whole number from 0. */
export const count: OptionRange = {
  text: 'a whole number, at least 0',
  includes: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
}

/** One of a few values. */
export const oneOf = (...choices: readonly (string | number | boolean)[]): OptionRange => ({
  text: choices.join(' or '),
  includes: (value) => choices.some((choice) => choice === value),
  choices,
})

/** True or false. */
export const boolean: OptionRange = oneOf(false, true)

/** The options that most rules have. */
const rangesByName: Readonly<Record<string, OptionRange>> = {
  learningRate: nonNegative,
  weightDecay: nonNegative,
  decay: oneOf('l2', 'decoupled'),
  beta1: fraction,
  beta2: fraction,
  epsilon: {
    // For any β₂ < 1, float32 has a number for ε√(1 − β₂ᵗ); if it were 0, a zero gradient would give 0 / 0.
    text: 'a finite number, at least 1e-36',
    includes: (value) => isFiniteNumber(value) && value >= 1e-36,
  },
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
  throw new RangeError(`${owner}: ${option} must be ${range.text}, but is ${describe(value)}`)
}

/** Whether a value is an object of plain properties: no array, Map, function or instance of a class. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** @throws TypeError unless options are a plain object. Call it before options are destructured. */
export function checkOptions(owner: string, options: unknown): void {
  if (isPlainObject(options)) return
  throw new TypeError(
    `${owner}: options must be an object such as { learningRate: 0.01 }, but are ${describe(options)}`,
  )
}

/** Any value as an error message shows it: `L2`, `"0.1"`, `1n`, `a function`, `a Map`, `[1,2]`. */
export function describe(value: unknown): string {
  if (typeof value === 'string') {
    return Number.isNaN(Number(value)) ? value : JSON.stringify(value) // No number, but looks like one.
  }
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  if (ArrayBuffer.isView(value) && 'length' in value) {
    return `${value.constructor.name}(${value.length})`
  }
  if (!Array.isArray(value) && !isPlainObject(value)) return `a ${value.constructor.name}`
  const kind = Array.isArray(value) ? 'a list' : 'an object'
  try {
    const text = JSON.stringify(value, (_, nested) =>
      ArrayBuffer.isView(nested) || ['bigint', 'function'].includes(typeof nested)
        ? describe(nested)
        : nested,
    )
    return text.length > 80 ? kind : text
  } catch {
    return kind // A cycle.
  }
}
