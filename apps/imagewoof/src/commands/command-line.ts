import { join } from 'node:path'
import type { OptionRange } from '@diffgrad/core'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Config } from '../config/config.ts'
import { Failure } from '../failure.ts'

/** The command line that runs this program from the root of the repository. */
export const commandLine = (...args: readonly string[]): string =>
  ['npm', 'start', '--', ...args.map(quote)].join(' ')

const quote = (text: string): string => (/^[\w./:@=-]+$/.test(text) ? text : `'${text}'`)

/**
 * Refuses arguments of a command without any, which are mostly data: `train dogs`.
 *
 * @returns the command.
 */
export const withoutArguments = (command: Command): Command =>
  command.allowExcessArguments().hook('preAction', () => {
    const [source] = command.args
    if (source === undefined) return
    const name = command.name() === 'start' ? [] : [command.name()]
    throw new Failure(
      `${source} is not an option; did you mean ${commandLine(...name, '--data', source)}?`,
    )
  })

/** An option for the checkpoint of a run. */
export const checkpointOption = (): Option =>
  new Option('--checkpoint <kind>', 'which checkpoint').choices(['best', 'last']).default('best')

/** An option for the new path of a run's data. */
export const dataPathOption = (): Option =>
  new Option('--data <source>', 'path of the data, if it was moved')

/** A parser of option values that are numbers in a range. */
export const numberIn =
  ({ text, includes }: OptionRange) =>
  (argument: string): number => {
    const value = argument === '' ? Number.NaN : Number(argument)
    if (includes(value)) return value
    throw new InvalidArgumentError(`It must be ${text}.`)
  }

/** The default run folder of a configuration. */
export const runFolderPath = ({ data, optimizer }: Config): string => {
  const name = data.split(/[\\/]/).findLast((part) => part !== '') ?? data
  return newFolderPath(name, optimizer)
}

/** A folder path in runs/, named by the time and `names`. */
export const newFolderPath = (...names: readonly string[]): string => {
  const time = new Date().toISOString().slice(0, 19).replace('T', '-').replaceAll(':', '')
  return join('runs', [time, ...names.map((name) => name.replace(/[^\w.-]+/g, '-'))].join('-'))
}
