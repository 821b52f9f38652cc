import {
  checkOptions,
  describe,
  type Hyperparameters,
  type OptimizerOptions,
  type PartialOptions,
  transformNames,
  type UpdateRule,
} from '@diffgrad/core'

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

/** The options that only the constructor takes: `set` refuses them by name. */
const constructorOptions = [...transformNames, 'groups']

/** What an optimizer with settings as properties does. */
interface Configurable<H extends Hyperparameters> {
  readonly rule: UpdateRule<H>
  set(changes: PartialOptions<H>): void
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
  for (const property of new Set([
    ...Object.keys(rule.defaults),
    ...tfSettings,
    ...constructorOptions,
  ])) {
    const setting = property === 'useNesterov' ? 'nesterov' : property
    define(
      property,
      () => (Object.hasOwn(rule.defaults, setting) ? read(setting) : undefined),
      // Checked by the optimizer of core.
      (value) => optimizer.set({ [setting]: value ?? String(value) } as PartialOptions<H>),
    )
  }
}

/** The order of positional arguments in `tf.train.momentum` and `tf.train.adam`. */
const positions = ['learningRate', 'momentum', 'nesterov', 'beta1', 'beta2', 'epsilon']

/**
 * The options that the arguments of a constructor mean: an object of options, or settings in the order of
 * `tf.train`.
 *
 * @throws TypeError if the first argument is neither.
 * @throws RangeError naming an argument that the rule has no setting for.
 */
export function optionsOf<H extends Hyperparameters>(
  rule: UpdateRule<H>,
  [first = {}, ...further]: readonly unknown[],
): OptimizerOptions<H> {
  const refuse = (reason: string): never => {
    throw new RangeError(`${rule.name}: ${reason}`)
  }
  const names = positions.filter((name) => Object.hasOwn(rule.defaults, name))
  const given = further.findLastIndex((argument) => argument !== undefined) + 1
  if (typeof first === 'number') {
    if (given >= names.length) {
      refuse(
        `takes ${names.join(', ')}, but argument ${given + 1} is ${describe(further[given - 1])}`,
      )
    }
    const settings = [first, ...further].slice(0, given + 1)
    const entries = settings.map((value, i) => [names[i], value ?? undefined])
    return Object.fromEntries(entries) // Checked by the optimizer of core.
  }
  checkOptions(rule.name, first)
  if (given > 0) {
    refuse(
      `options are the only argument, but argument ${given + 1} is ${describe(further[given - 1])}`,
    )
  }
  return first as OptimizerOptions<H> // Checked by the optimizer of core.
}
