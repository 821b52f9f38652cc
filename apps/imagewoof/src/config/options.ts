import { type Command, Option } from 'commander'
import { type Config, option, resolveConfig, usualFor } from './config.ts'
import { schema } from './schema.ts'

/** Adds the settings of a configuration to a command, but for some; each is undefined unless given. */
export function addConfigOptions(command: Command, without: readonly string[] = []): Command {
  for (const [key, field] of Object.entries(schema.shape)) {
    if (without.includes(key)) continue
    const { group = '', description = '', value } = field.meta() ?? {}
    const inner = field.def.innerType.def
    const initial = field.def.type === 'default' ? field.def.defaultValue : undefined
    const flags = value !== undefined ? `${option(key)} ${value}` : flag(key, initial === true)
    const known = inner.type === 'enum' ? `: ${Object.keys(inner.entries).join(', ')}` : ''
    const embedded = usualFor({})[key as keyof Config] // Keys that it has not are undefined.
    const also = embedded === undefined ? '' : `, ${embedded} for shapes`
    const note = value !== undefined && initial !== undefined ? ` (default: ${initial}${also})` : ''
    const added = new Option(flags, `${description}${known}${note}`).helpGroup(group)
    // What is no number is refused by the schema, which can name it.
    if (inner.type === 'custom')
      added.argParser((text) => (Number.isNaN(Number(text)) || text === '' ? text : Number(text)))
    command.addOption(added)
  }
  return command
}

/** A flag that changes what is set without it. */
const flag = (key: string, initial: boolean): string =>
  initial ? `--no-${option(key).slice(2)}` : option(key)

/** What of a command's options belongs to a configuration. */
export const givenOf = (options: object): object =>
  Object.fromEntries(Object.entries(options).filter(([key]) => key in schema.shape))

/** The options that say these settings. */
export const spelled = (given: object): readonly string[] =>
  Object.entries(given).flatMap(([key, value]) => {
    if (typeof value !== 'boolean') return [option(key), `${value}`]
    const initial = resolveConfig({})[key as keyof Config] === true // Given settings are known ones.
    return value === initial ? [] : [flag(key, initial)]
  })
