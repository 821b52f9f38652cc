import { type EntrantName, field, type Options, type OptionValue } from './field.ts'

/** An optimizer with the options that it runs with. */
export interface Racer {
  readonly name: EntrantName
  /** The options that differ from the defaults. */
  readonly options: Options
  /** By what the loss is multiplied before its gradient is taken: above 0, usually 1. */
  readonly lossScale: number
}

/** A racer on the loss as it is. */
export const racer = (name: EntrantName, options: Options = {}, lossScale = 1): Racer => ({
  name,
  options,
  lossScale,
})

/** The value of an option, set or by default. */
export const optionOf = ({ name, options }: Racer, option: string): OptionValue | undefined =>
  options[option] ?? field[name].defaults[option]

/** The racer with one option changed; a default is not kept as a change. */
export function withOption(racer: Racer, option: string, value: OptionValue): Racer {
  const { [option]: _, ...others } = racer.options
  const standard = field[racer.name].defaults[option]
  return { ...racer, options: value === standard ? others : { ...others, [option]: value } }
}

/** Another optimizer, with those of the options that it also has. */
export function renamed({ options, lossScale }: Racer, name: EntrantName): Racer {
  return Object.entries(options)
    .filter(([option]) => option in field[name].defaults)
    .reduce(
      (renamed, [option, value]) => withOption(renamed, option, value),
      racer(name, {}, lossScale),
    )
}

/** Whether it has a friction ξ. */
export const hasFriction = ({ name }: Racer): boolean => 'version' in field[name].defaults
