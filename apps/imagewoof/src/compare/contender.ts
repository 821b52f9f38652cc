import { Command } from 'commander'
import { type Config, resolveConfig } from '../config/config.ts'
import { addConfigOptions, givenOf } from '../config/options.ts'
import { Failure } from '../failure.ts'

/** One of those who are compared. */
export interface Contender {
  /** As it was asked for, such as `diffgrad --aliased`. */
  readonly name: string
  readonly config: Config
}

/** Settings that must be the same for all. */
const shared = ['data', 'size', 'batch', 'epochs', 'seed', 'threads', 'saveEvery']

/** The optimizers of the fast.ai thread in which diffGrad's relatives came up. */
const thread = [
  'diffgrad',
  'diffgrad --friction 1',
  'diffrgrad',
  'diffmod',
  'adam',
  'radam',
  'ranger',
]

/** Contenders by the name of a preset. */
export const presets: Readonly<Record<string, readonly string[]>> = { thread }

/** Those who are compared if nobody is named: the review that found the aliasing compared them. */
export const usual: readonly string[] = ['diffgrad', 'diffgrad --aliased', 'adam']

/**
 * Reads contenders, each an optimizer with options of its own, and adds the control: Adam at half the
 * learning rate, which is what diffGrad is where ξ stays at ½.
 *
 * @throws {Failure} Naming the contender that is none.
 */
export function contendersOf(names: readonly string[], given: object): readonly Contender[] {
  const { learningRate } = resolveConfig(given)
  const control = `adam --learning-rate ${learningRate / 2}`
  const all = [...new Set([...names, control])]
  return all.map((name) => ({ name, config: configOf(name, given) }))
}

function configOf(name: string, given: object): Config {
  const command = addConfigOptions(new Command(name), shared)
    .argument('<optimizer>')
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
  try {
    command.parse(name.split(/\s+/), { from: 'user' })
    const [optimizer] = command.args
    return resolveConfig({ ...given, ...givenOf(command.opts()), optimizer })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.replace(/^error: /, '') : cause
    throw new Failure(`contender "${name}": ${reason}`, { cause })
  }
}
