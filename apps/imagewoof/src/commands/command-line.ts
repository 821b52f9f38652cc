import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { type OptionRange, positiveInteger } from '@diffgrad/core'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Config } from '../config/config.ts'
import { Failure } from '../failure.ts'
import {
  chooseProvider,
  type Machine,
  machineArguments,
  type ProviderChoice,
  providerChoices,
} from '../provider.ts'
import type { CommandContext } from '../terminal/context.ts'
import type { Jobs } from '../trials/local.ts'
import { parseRedisAddress, type RedisAddress } from '../trials/redis.ts'

/**
 * Enters the folder in which the user called `npm start`. npm runs scripts in the root of the repository,
 * but paths are relative to where the user stands.
 */
export function enterCallersFolder(): void {
  const { INIT_CWD } = process.env
  if (isScript() && INIT_CWD !== undefined) process.chdir(INIT_CWD)
}

/** Whether this process is a script of the repository's package.json. */
const isScript = (): boolean =>
  ['start', 'imagewoof'].includes(process.env.npm_lifecycle_event ?? '')

/** The command line that runs this program from the current folder. */
export const commandLine = (...args: readonly string[]): string =>
  [...npmStart(), '--', ...args].map(quote).join(' ')

/** npm searches for package.json in the current folder and those above it. */
function npmStart(): readonly string[] {
  const { npm_package_json: called } = process.env
  let folder = process.cwd()
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder))
    folder = dirname(folder)
  return !isScript() || called === undefined || resolve(called) === join(folder, 'package.json')
    ? ['npm', 'start']
    : ['npm', '--prefix', dirname(called), 'start']
}

/** Quotes an argument for the shell, if it needs that. */
function quote(text: string): string {
  if (/^[\w./:@=-]+$/.test(text)) return text
  return process.platform === 'win32' ? `"${text}"` : `'${text.replaceAll("'", "'\\''")}'`
}

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

/** An option for the path of a run's data on this machine, if it lies elsewhere than when the run was started. */
export const dataPathOption = (): Option =>
  new Option(
    '--data <source>',
    'path of the data, if it was moved, or lies elsewhere on this machine',
  )

/** An option for the provider, which belongs to this machine and not to the plan of a run. */
export const providerOption = (): Option =>
  new Option(
    '--provider <name>',
    'where onnxruntime computes on this machine; auto: on a graphics card if there is one, else cpu (default: cpu)',
  ).choices(providerChoices)

/** An option for the threads of a resumed run, which belong to this machine and not to its plan. */
export const threadsOption = (): Option =>
  new Option(
    '--threads <count>',
    'threads of onnxruntime on this machine; results differ by rounding (default: those it was started with)',
  ).argParser(numberIn(positiveInteger))

/** An option for the number of trials that are trained at once on this machine. */
export const jobsOption = (): Option =>
  new Option(
    '--jobs <count>',
    'train so many runs at once, each in a process of its own; auto: as many as cores allow, with --threads each',
  )
    .argParser((text): Jobs => (text === 'auto' ? text : parseJobs(text)))
    .conflicts('watch')

/** An option for the queue on which the trials of a plan are put. */
export const queueOption = (): Option =>
  new Option(
    '--queue <address>',
    'put the runs on a queue in Redis, such as redis://host:6379; the command worker trains them, on any machines that see the folder',
  )
    .argParser(parseQueue)
    .conflicts(['jobs', 'watch', 'provider'])

/** Parses the address of a queue. */
export function parseQueue(text: string): RedisAddress {
  const address = parseRedisAddress(text)
  if (address) return address
  throw new InvalidArgumentError('It must be redis://[user:password@]host[:port][/database].')
}

/** The provider that the user asked for, and the engines that are to run on it; threads and data likewise. */
export interface ProviderRequest extends Pick<Machine, 'threads' | 'dataPath'> {
  /** Undefined if the user named none: then it is `cpu`. */
  readonly choice: ProviderChoice | undefined
  readonly engines: readonly Config['engine'][]
}

/**
 * Adds what the user asked for to a context, and prints which provider was found and chosen.
 *
 * @throws {Failure} If an engine takes no provider or no threads, or the provider is missing.
 */
export function withProvider(
  interruptible: CommandContext,
  { choice, engines, threads, dataPath }: ProviderRequest,
): CommandContext {
  const context = { ...interruptible, threads, dataPath }
  if (threads !== undefined && engines.includes('tfjs'))
    throw new Failure(
      `--threads ${threads} needs --engine onnxruntime, but the engine is tfjs, which uses one thread or a graphics card`,
    )
  if (choice === undefined) return context
  if (engines.includes('tfjs'))
    throw new Failure(
      `--provider ${choice} needs --engine onnxruntime, but the engine is tfjs, which chooses WebGPU or WebAssembly itself`,
    )
  const { provider, line } = chooseProvider(choice)
  context.screen.write(line)
  return { ...context, provider }
}

/** The command line that resumes a run or a plan on the machine of a context, with further options. */
export const resumeCommandLine = (
  path: string,
  machine: Machine,
  ...options: readonly string[]
): string => commandLine('resume', path, ...options, ...machineArguments(machine))

/** A parser of option values that are numbers in a range. */
export const numberIn =
  ({ text, includes }: OptionRange) =>
  (argument: string): number => {
    const value = argument === '' ? Number.NaN : Number(argument)
    if (includes(value)) return value
    throw new InvalidArgumentError(`It must be ${text}.`)
  }

const parseJobs = numberIn({ ...positiveInteger, text: `${positiveInteger.text}, or auto` })

/** The default run folder of a configuration. */
export const runFolderPath = ({ data, optimizer }: Config): string => {
  const name = data.split(/[\\/]/).findLast((part) => part !== '') ?? data
  return newFolderPath(name, basename(optimizer))
}

/** A folder path in runs/, named by the time and `names`. */
export const newFolderPath = (...names: readonly string[]): string => {
  const time = new Date().toISOString().slice(0, 19).replace('T', '-').replaceAll(':', '')
  return join('runs', [time, ...names.map((name) => name.replace(/[^\w.-]+/g, '-'))].join('-'))
}
