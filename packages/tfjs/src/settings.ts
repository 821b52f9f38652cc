import type { Hyperparameters, OptimizerOptions, RuleOptions, UpdateRule } from '@diffgrad/core'

// The conventions of `tf.train`: positional arguments, and settings that are properties of the optimizer.

/** The hyperparameters of a rule as properties: each reads its value at the next step, and changes it. */
export type Settings<H> = { -readonly [K in Exclude<keyof H, 'learningRate'>]: H[K] }

/** An argument of `tf.train.adam` and the like; null and undefined mean the default. */
export type PositionalSetting = number | boolean | null | undefined

/** The settings of the optimizers of `tf.train`, whether or not a rule has them. */
const tfSettings = [
  ...['learningRate', 'beta1', 'beta2', 'epsilon', 'momentum', 'useNesterov'],
  ...['decay', 'rho', 'centered', 'initialAccumulatorValue'],
]

/** The options that only the constructor takes. */
const constructorOptions = [
  'groups',
  'accumulate',
  'centralize',
  'clip',
  'skipNotFinite',
  'lookahead',
  'ema',
]

/** What an optimizer with settings as properties does. */
interface Configurable<H extends Hyperparameters> {
  readonly rule: UpdateRule<H>
  set(changes: Partial<RuleOptions<H>>): void
}

/**
 * Defines a property of an optimizer for each hyperparameter of its rule and each setting of `tf.train`.
 * Assigning a setting that the rule lacks throws a RangeError that names it. Properties that the class
 * has are left as they are.
 *
 * @param read - returns the value of a hyperparameter at the next step.
 */
export function defineSettings<H extends Hyperparameters>(
  optimizer: Configurable<H>,
  read: (setting: string) => unknown,
): void {
  const { rule } = optimizer
  const define = (property: string, get: () => unknown, set: (value: unknown) => void): void => {
    if (!(property in optimizer)) {
      Object.defineProperty(optimizer, property, { get, set, configurable: true })
    }
  }
  for (const property of new Set([...Object.keys(rule.defaults), ...tfSettings])) {
    const setting = property === 'useNesterov' ? 'nesterov' : property
    define(
      property,
      () => (Object.hasOwn(rule.defaults, setting) ? read(setting) : undefined),
      // Checked by the optimizer of core.
      (value) => optimizer.set({ [setting]: value ?? String(value) } as Partial<RuleOptions<H>>),
    )
  }
  for (const option of constructorOptions) {
    define(
      option,
      () => undefined,
      () => {
        throw new TypeError(
          `${rule.name}: ${option} is an option of the constructor and cannot change`,
        )
      },
    )
  }
}

/** The order of positional arguments in `tf.train.momentum` and `tf.train.adam`. */
const positions = ['learningRate', 'momentum', 'nesterov', 'beta1', 'beta2', 'epsilon']

/**
 * The options that the arguments of a constructor mean: an object of options, or settings in the order of
 * `tf.train`.
 *
 * @throws RangeError naming an argument that is neither, or that the rule has no setting for.
 */
export function optionsOf<H extends Hyperparameters>(
  rule: UpdateRule<H>,
  [first, ...further]: readonly unknown[],
): OptimizerOptions<H> {
  const refuse = (reason: string): never => {
    throw new RangeError(`${rule.name}: ${reason}`)
  }
  const names = positions.filter((name) => Object.hasOwn(rule.defaults, name))
  const given = further.findLastIndex((argument) => argument !== undefined) + 1
  if (typeof first === 'number') {
    if (given >= names.length) {
      refuse(`takes ${names.join(', ')}, but argument ${given + 1} is ${shown(further[given - 1])}`)
    }
    const settings = [first, ...further].slice(0, given + 1)
    const entries = settings.map((value, i) => [names[i], value ?? undefined])
    return Object.fromEntries(entries) // Checked by the optimizer of core.
  }
  if (first !== undefined && !isPlainObject(first)) {
    refuse(`options must be an object or a learning rate, but are ${shown(first)}`)
  }
  if (given > 0) {
    refuse(
      `argument ${given + 1} is ${shown(further[given - 1])}, but options take no argument after them`,
    )
  }
  return first ?? {}
}

/** Whether a value is an object that is no array, map, function, … Objects of other realms are plain too. */
const isPlainObject = (value: unknown): value is object =>
  Object.prototype.toString.call(value) === '[object Object]'

const shown = (value: unknown): string =>
  typeof value === 'string' ? JSON.stringify(value) : String(value)
