import { type Command, Option } from 'commander'
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
 */
export function addConfigOptions(command: Command, without: readonly string[] = []): Command {
  for (const [key, field] of Object.entries(schema.shape)) {
    if (without.includes(key)) continue
    const { group = '', description, value } = field.meta() ?? {}
    if (description === undefined) continue
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
    if (inner.type === 'array')
      added.argParser((text, previous: readonly string[] = []) => [...previous, ...splitList(text)])
    command.addOption(added)
    // Commander's default for --no-… is true; a setting of some rules has none.
    if (added.negate && initial === undefined) command.setOptionValue(key, undefined)
  }
  return command
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
