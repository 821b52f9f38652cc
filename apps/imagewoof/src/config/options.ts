import { type Command, Option } from 'commander'
import { type Config, option, usualFor } from './config.ts'
import { schema } from './schema.ts'

/** What is set without an option, by its key. */
const initials: ReadonlyMap<string, unknown> = new Map(
  Object.entries(schema.shape).map(([key, { def }]) => [
    key,
    def.type === 'default' ? def.defaultValue : undefined,
  ]),
)

/** A flag, which changes what is set without it. */
const flag = (key: string): string =>
  initials.get(key) === true ? `--no-${option(key).slice(2)}` : option(key)

/** Adds the settings of a configuration to a command, but for some; each is undefined unless given. */
export function addConfigOptions(command: Command, without: readonly string[] = []): Command {
  for (const [key, field] of Object.entries(schema.shape)) {
    if (without.includes(key)) continue
    const { group = '', description = '', value } = field.meta() ?? {}
    const inner = field.def.innerType.def
    const initial = initials.get(key)
    const flags = value !== undefined ? `${option(key)} ${value}` : flag(key)
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

/** What of a command's options belongs to a configuration. */
export const givenOf = (options: object): object =>
  Object.fromEntries(Object.entries(options).filter(([key]) => key in schema.shape))

/** The options that say these settings. */
export const spelled = (given: object): readonly string[] =>
  Object.entries(given).flatMap(([key, value]) => {
    if (typeof value !== 'boolean') return [option(key), `${value}`]
    return value === (initials.get(key) === true) ? [] : [flag(key)]
  })
