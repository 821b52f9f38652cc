import type { z } from 'zod'
import { Failure } from '../failure.ts'
import { rules } from '../recipe/rules.ts'
import { schema } from './schema.ts'

/** All that decides a training, with nothing left open. */
export type Config = z.output<typeof schema>

/** What the recipe sets, of the rules that have it. */
const recipe: Readonly<Partial<Config>> = {
  beta1: 0.95,
  beta2: 0.99,
  epsilon: 1e-6,
  momentum: 0.9,
}

/** Settings of some rules only, and what core calls them. */
export const ownSettings = {
  beta1: 'beta1',
  beta2: 'beta2',
  epsilon: 'epsilon',
  momentum: 'momentum',
  nesterov: 'nesterov',
  amsgrad: 'amsgrad',
  friction: 'version',
  aliased: 'aliased',
  memoryLength: 'memoryLength',
} as const

/** A network that learns the embedded pictures in a few minutes on two cores. */
const small: Readonly<Partial<Config>> = { size: 48, batch: 32, epochs: 8 }

/** What is set for some data unless told otherwise: the embedded pictures are easier than photographs. */
export const usualFor = ({
  data = 'shapes',
  backbone,
}: Partial<Config>): Readonly<Partial<Config>> =>
  data !== 'shapes' ? {} : backbone === undefined ? { ...small, width: 32 } : small

const keys = Object.keys(ownSettings) as (keyof typeof ownSettings)[] // Of the literal above.

/** A key of the configuration as the command line writes it. */
export const option = (key: string): string =>
  `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

/**
 * Completes and checks a configuration.
 *
 * @throws {Failure} Naming the first option that is unknown, out of range, or without effect.
 */
export function resolveConfig(given: object): Config {
  const { success, data, error } = schema.safeParse({ ...usualFor(given), ...given })
  if (!success) {
    const [issue] = error.issues
    const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined
    if (unknown !== undefined) throw new Failure(`config: there is no setting ${unknown}`)
    throw new Failure(`${option(issue?.path.join('.') ?? '')} ${issue?.message}`)
  }
  return withRule(checked(data))
}

function checked(config: Config): Config {
  const must = (holds: boolean, complaint: string): void => {
    if (!holds) throw new Failure(complaint)
  }
  const { backbone, tune, flat, schedule, architecture, activation, width, selfAttention } = config
  const { decay, weightDecay, momentum, nesterov } = config
  must(tune === undefined || backbone !== undefined, '--tune is about a --backbone; there is none')
  must(
    flat === undefined || schedule === 'flat-cosine',
    `--flat is about the schedule flat-cosine, but it is ${schedule}`,
  )
  must(
    nesterov !== true || momentum !== 0,
    '--nesterov looks ahead by --momentum, which must be above 0, but is 0',
  )
  must(
    decay === 'decoupled' || weightDecay > 0,
    `--decay ${decay} is about the --weight-decay, which is 0`,
  )
  const own = architecture !== 'xresnet18' || activation !== 'relu' || width !== 64 || selfAttention
  must(
    backbone === undefined || !own,
    '--backbone is a network already: --architecture, --activation, --width and --self-attention do not go with it',
  )
  return {
    ...config,
    ...(backbone !== undefined && { tune: tune ?? 'all' }),
    ...(schedule === 'flat-cosine' && { flat: flat ?? 0.72 }),
  }
}

/** The setting that one-cycle moves against the learning rate. */
export const momentumOf = ({ optimizer }: Config): 'momentum' | 'beta1' =>
  optimizer === 'sgd' ? 'momentum' : 'beta1'

/** Adds the settings that the rule has, and refuses those that it has not. */
function withRule(config: Config): Config {
  const { name, defaults } = rules[config.optimizer]
  const known = new Map<string, unknown>(Object.entries(defaults))
  const cycling = config.schedule === 'one-cycle' ? momentumOf(config) : undefined
  const own = keys.flatMap((key) => {
    const place = ownSettings[key]
    const given = config[key]
    if (key === cycling) {
      if (given === undefined) return []
      throw new Failure(`${option(key)} has a course of its own with --schedule one-cycle`)
    }
    if (known.has(place)) return [[key, given ?? recipe[key] ?? known.get(place)] as const]
    if (given === undefined) return []
    const has = keys.filter((other) => known.has(ownSettings[other])).map(option)
    throw new Failure(`${option(key)} is no option of ${name}; it has ${has.join(', ')}`)
  })
  return { ...config, ...Object.fromEntries(own) }
}
