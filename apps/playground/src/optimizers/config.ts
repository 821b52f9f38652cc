import { type Options, type OptionValue, optimizers } from './registry.ts'

/** A choice of optimizer and options: one line of a race, one panel of a swarm, one training. */
export interface OptimizerConfig {
  /** A key of `optimizers`. */
  readonly name: string
  /** The options that differ from the defaults. */
  readonly options: Options
  /** Multiplies the loss, and so the gradients; above 0, 1 by default. */
  readonly lossScale: number
}

/** @throws RangeError if there is no optimizer of that name. */
export function configure(name: string, options: Options = {}, lossScale = 1): OptimizerConfig {
  if (!Object.hasOwn(optimizers, name)) throw new RangeError(`there is no optimizer ${name}`)
  return { name, options, lossScale }
}

/** The value of an option; undefined if the optimizer does not have it. */
export const optionValue = (
  { name, options }: OptimizerConfig,
  option: string,
): OptionValue | undefined => options[option] ?? optimizers[name].defaults[option]

/** Sets one option. A default value is not kept as a change. */
export function withOption(
  config: OptimizerConfig,
  option: string,
  value: OptionValue,
): OptimizerConfig {
  const { [option]: _, ...others } = config.options
  const standard = optimizers[config.name].defaults[option]
  return { ...config, options: value === standard ? others : { ...others, [option]: value } }
}

/** Changes to another optimizer, and keeps the options that both have. */
export function withOptimizer(
  { options, lossScale }: OptimizerConfig,
  name: string,
): OptimizerConfig {
  return Object.entries(options)
    .filter(([option]) => option in optimizers[name].defaults)
    .reduce(
      (config, [option, value]) => withOption(config, option, value),
      configure(name, {}, lossScale),
    )
}

/** The library's error message for invalid options; undefined if they are valid. */
export function validationError({ name, options }: OptimizerConfig): string | undefined {
  try {
    const optimizer = optimizers[name].create(new Float64Array(1), options)
    optimizer.hyperparameters('theta') // Throws if the options conflict.
    return undefined
  } catch (error) {
    if (error instanceof RangeError) return error.message
    throw error
  }
}
