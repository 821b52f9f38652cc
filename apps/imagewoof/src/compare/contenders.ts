import { Command } from 'commander'
import { type Config, dataSettings, resolveConfig } from '../config/config.ts'
import { addConfigOptions, pickSettings } from '../config/options.ts'
import { Failure } from '../failure.ts'
import { withAbsolutePaths } from '../training/run.ts'

/** One of the compared optimizers, with its options. */
export interface Contender {
  /** As on the command line, such as `diffgrad --aliased`. */
  readonly name: string
  readonly config: Config
}

/** Settings that all contenders share. */
const sharedSettings = [
  ...dataSettings,
  ...['batch', 'epochs', 'seed', 'threads', 'saveEvery', 'from', 'checkpoint'],
]

/** Contenders by the name of a preset. */
export const presets: Readonly<Record<string, readonly string[]>> = {
  /** diffGrad's variants and their base optimizers, as compared in the fast.ai forum. */
  'diffgrad-family': [
    'diffgrad',
    'diffgrad --friction 1',
    'diffrgrad',
    'diffmod',
    'adam',
    'radam',
    'ranger',
  ],
}

/** The default contenders: those of the review that found the aliasing bug. */
export const defaultContenders: readonly string[] = ['diffgrad', 'diffgrad --aliased', 'adam']

/**
 * Parses contenders, each an optimizer with its options, and adds the control: Adam at half the learning
 * rate, which diffGrad equals where ξ is ½.
 *
 * @param settings - of all contenders.
 * @throws {Failure} Naming the first contender that cannot be parsed.
 */
export function parseContenders(names: readonly string[], settings: object): readonly Contender[] {
  const { learningRate, validationCrop } = resolveConfig(settings)
  const control = `adam --learning-rate ${learningRate / 2}`
  const all = [...new Set([...names, control])]
  const folders = all.map(runFolderName)
  const twice = all.find((_, i) => folders.indexOf(folders[i]) !== i)
  if (twice !== undefined)
    throw new Failure(
      `contender "${twice}": its runs would have the folders of "${all[folders.indexOf(runFolderName(twice))]}"`,
    )
  // Not what a contender's own --pad makes of it: all have the same data.
  const shared = { ...settings, validationCrop }
  return all.map((name) => ({ name, config: configOf(name, shared) }))
}

/** The name of a contender in the names of its run folders: `./a/rule.mjs --beta1 0` → `a-rule.mjs-beta1-0`. */
export const runFolderName = (contender: string): string =>
  contender.replace(/[^\w.]+/g, '-').replace(/^[.-]+/, '')

function configOf(name: string, settings: object): Config {
  const command = addConfigOptions(new Command(name), sharedSettings)
    .argument('<optimizer>')
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
  try {
    command.parse(name.split(/\s+/), { from: 'user' })
    const [optimizer] = command.args
    return resolveConfig({ ...settings, ...pickSettings(command.opts()), optimizer })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.replace(/^error: /, '') : cause
    throw new Failure(`contender "${name}": ${reason}`, { cause })
  }
}

/** The runs of a comparison, one for each contender and seed: compare.json. */
export interface ComparisonPlan {
  readonly contenders: readonly Contender[]
  readonly seeds: readonly number[]
  /** Whether finished runs keep their checkpoints, which are large. */
  readonly keep: boolean
}

/** Changes settings of all contenders, and resolves relative paths. */
export const withSettings = (
  plan: ComparisonPlan,
  settings: Partial<Config> = {},
): ComparisonPlan => ({
  ...plan,
  contenders: plan.contenders.map(({ name, config }) => ({
    name,
    config: withAbsolutePaths({ ...config, ...settings }),
  })),
})
