import { type Command, InvalidArgumentError, Option } from 'commander'
import { type Config, defaultsFor, optionName } from './config.ts'
import { ruleSettings } from './rule-settings.ts'
import { schema } from './schema.ts'

/** The default of every setting, by its key; undefined if it has none. */
const defaults: ReadonlyMap<string, unknown> = new Map(
  Object.entries(schema.shape).map(([key, { def }]) => [
    key,
    def.type === 'default' ? def.defaultValue : undefined,
  ]),
)

/** Whether a boolean setting is true by default. */
const isOn = (key: string): boolean =>
  defaults.get(key) === true || ruleSettings.some((setting) => setting.key === key && setting.isOn)

/** The flag that changes a boolean setting from its default. */
const flagName = (key: string): string =>
  isOn(key) ? `--no-${optionName(key).slice(2)}` : optionName(key)

/**
 * Adds an option for every setting that has a description, except those in `without`. Options without a
 * value stay undefined.
 *
 * @param searched - keys of settings that take several values: those are parsed by `parseChoices`.
 */
export function addConfigOptions(
  command: Command,
  without: readonly string[] = [],
  searched: readonly string[] = [],
): Command {
  for (const [key, field] of Object.entries(schema.shape)) {
    if (without.includes(key)) continue
    const { group = '', description, value } = field.meta() ?? {}
    if (description === undefined) continue
    if (searched.includes(key) && value === undefined) {
      const line = `${isOn(key) ? '' : `${description}; `}true, false, or true,false`
      const flag = new Option(`${optionName(key)} [values]`, line).helpGroup(group)
      command.addOption(flag.argParser((text) => parseChoices(text, 'flag')))
      if (!isOn(key)) continue
    }
    const inner = field.def.innerType.def
    const initial = defaults.get(key)
    const flags = value !== undefined ? `${optionName(key)} ${value}` : flagName(key)
    const names = inner.type === 'enum' ? `: ${Object.keys(inner.entries).join(', ')}` : ''
    const ofShapes = defaultsFor({})[key as keyof Config] // Undefined for keys without such a default.
    const also = ofShapes === undefined ? '' : `, ${ofShapes} for shapes`
    const note = value !== undefined && initial !== undefined ? ` (default: ${initial}${also})` : ''
    const added = new Option(flags, `${description}${names}${note}`).helpGroup(group)
    // Text that is not a number is left to the schema, whose message names the option.
    if (inner.type === 'custom')
      added.argParser((text) => (Number.isNaN(Number(text)) || text === '' ? text : Number(text)))
    if (searched.includes(key) && value !== undefined)
      added.argParser((text) => parseChoices(text, inner.type === 'custom' ? 'number' : 'text'))
    if (inner.type === 'array')
      added.argParser((text, previous: readonly string[] = []) => [...previous, ...splitList(text)])
    command.addOption(added)
    // Commander's default for --no-… is true; a setting of some rules has none.
    if (added.negate && initial === undefined) command.setOptionValue(key, undefined)
  }
  return command
}

/** A value of a setting on the command line. Numbers that cannot be read are left to the schema as text. */
export type OptionValue = string | number | boolean

/** Numbers between two others, both included. */
export interface ValueRange {
  readonly from: number
  readonly to: number
  /** Whether they are drawn uniformly on a logarithmic scale. */
  readonly isLog: boolean
}

/** Several values of a setting: a list, also of one, or a range. */
export type OptionChoices = readonly OptionValue[] | ValueRange

/**
 * Parses several values of an option: `1e-4,1e-3`, or of numbers a range, `1e-4..1e-2` or `1e-4..1e-2:log`.
 *
 * @throws {InvalidArgumentError} If a value is empty or repeated, or the range is empty.
 */
export function parseChoices(text: string, kind: 'number' | 'text' | 'flag'): OptionChoices {
  const [, from, to, scale] = (kind === 'number' && /^([^,]*?)\.\.([^,:]*)(:.*)?$/.exec(text)) || []
  if (from !== undefined && to !== undefined) return parseRange(from, to, scale)
  if (kind === 'number' && text.includes('..'))
    throw new InvalidArgumentError('A range stands alone, without further values.')
  const values = text.split(',').map((item) => parseValue(item.trim(), kind))
  const repeated = values.find((value, i) => values.indexOf(value) !== i)
  if (repeated !== undefined) throw new InvalidArgumentError(`${repeated} is listed twice.`)
  return values
}

function parseRange(first: string, second: string, scale?: string): ValueRange {
  const [from, to] = [first, second].map((end) => (end.trim() === '' ? Number.NaN : Number(end)))
  const isLog = scale === ':log'
  if (!Number.isFinite(from) || !Number.isFinite(to))
    throw new InvalidArgumentError('The ends of a range must be numbers, such as 1e-4..1e-2.')
  if (from >= to)
    throw new InvalidArgumentError('The second end of a range must be above the first.')
  if (scale !== undefined && !isLog)
    throw new InvalidArgumentError(`After a range, only :log may stand, not ${scale}.`)
  if (isLog && from <= 0) throw new InvalidArgumentError('A logarithmic range must be above 0.')
  return { from, to, isLog }
}

function parseValue(item: string, kind: 'number' | 'text' | 'flag'): OptionValue {
  if (item === '') throw new InvalidArgumentError('A value is empty.')
  if (kind === 'number') return Number.isNaN(Number(item)) ? item : Number(item)
  if (kind === 'text') return item
  if (item !== 'true' && item !== 'false')
    throw new InvalidArgumentError(`Values must be true or false, not ${item}.`)
  return item === 'true'
}

/** The items between commas, except for commas in braces: `*.{gif,bmp},old/**` has two. */
const splitList = (text: string): readonly string[] =>
  text
    .split(/,(?![^{]*\})/)
    .map((item) => item.trim())
    .filter((item) => item !== '')

/** Those of a command's options that are settings of a configuration. */
export const pickSettings = (options: object): object =>
  Object.fromEntries(Object.entries(options).filter(([key]) => key in schema.shape))

/** The command-line arguments that select settings. */
export const argumentsFor = (settings: object): readonly string[] =>
  Object.entries(settings).flatMap(([key, value]) => {
    if (typeof value !== 'boolean') return [optionName(key), `${value}`]
    return value === isOn(key) ? [] : [flagName(key)]
  })
