import { join } from 'node:path'
import { Command } from 'commander'
import { type Config, dataSettings, resolveConfig } from '../config/config.ts'
import { addConfigOptions, pickSettings } from '../config/options.ts'
import { Failure } from '../failure.ts'
import { withAbsolutePaths } from '../training/run.ts'
import { PlannedRun } from '../trials/planned-run.ts'

/** One of the compared optimizers, with its options. */
export interface Contender {
  /** As on the command line, such as `diffgrad --aliased`. */
  readonly name: string
  readonly config: Config
  /** Learning rates to choose from before the runs, ascending; undefined without tuning. */
  readonly rates?: readonly number[]
}

/** Settings that all contenders share. */
const sharedSettings = [
  ...dataSettings,
  ...['batch', 'epochs', 'seed', 'threads', 'saveEvery', 'from', 'checkpoint'],
]

/** A comparison by name. */
interface Preset {
  readonly contenders: readonly string[]
  /** Of all contenders; options of the command line come before them. */
  readonly settings: Partial<Config>
  /** Number of seeds, unless the command line says another one. */
  readonly runs: number
}

export const presets: Readonly<Record<string, Preset>> = {
  /** diffGrad's variants and their base optimizers, as compared in the fast.ai forum, on any data. */
  'diffgrad-family': {
    contenders: [
      ...['diffgrad', 'diffgrad --friction 1', 'diffrgrad', 'diffmod'],
      ...['adam', 'radam', 'ranger'],
    ],
    settings: {},
    runs: 3,
  },
  /**
   * The recipe of the fast.ai forum for 20 epochs. β, ε, decay, schedule and augmentation are this
   * program's defaults. DiffRGrad has friction 1 by default.
   *
   * @see https://forums.fast.ai/t/meet-diffgrad-new-optimizer-that-solves-adams-overshoot-issue/60711
   */
  'imagewoof-20': {
    contenders: [
      ...['diffgrad', 'diffgrad --friction 1', 'diffgrad --friction 2', 'diffrgrad', 'diffmod'],
      ...['radam', 'ranger --epsilon 1e-5', 'adam', 'nadamw'],
    ],
    settings: {
      ...{ data: 'imagewoof2-160', size: 128, epochs: 20, batch: 64, learningRate: 4e-3 },
      ...{ architecture: 'xresnet50', activation: 'mish', selfAttention: true },
    },
    runs: 5,
  },
  /** The review in the same thread, which found the aliasing bug, with PyTorch's defaults of Adam. */
  'cifar10-review': {
    contenders: ['diffgrad --aliased', 'diffgrad', 'adam', 'diffgrad --friction 1'],
    settings: {
      ...{ data: 'cifar10', size: 32, pad: 4, padMode: 'zeros', epochs: 10, batch: 32 },
      ...{ architecture: 'seresnet18', labelSmoothing: 0, schedule: 'constant' },
      ...{ learningRate: 1e-3, weightDecay: 0 },
      ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    },
    runs: 5,
  },
}

/** The default contenders: those of the review that found the aliasing bug. */
export const defaultContenders: readonly string[] = ['diffgrad', 'diffgrad --aliased', 'adam']

/**
 * Parses contenders, each an optimizer with its options, and adds the control: Adam at half the learning
 * rate, whose update diffGrad's equals where ξ is ½. With tuned learning rates the control is Adam.
 *
 * @param settings - of all contenders.
 * @throws {Failure} Naming the first contender that cannot be parsed, or is listed twice.
 */
export function parseContenders(
  names: readonly string[],
  settings: object,
  { tuned = false }: { readonly tuned?: boolean } = {},
): readonly Contender[] {
  const repeated = names.find((name, i) => names.indexOf(name) !== i)
  if (repeated !== undefined)
    throw new Failure(
      `contender "${repeated}" is listed twice; more seeds of it, --runs, show its own noise`,
    )
  const { learningRate, validationCrop } = resolveConfig(settings)
  const control = tuned ? 'adam' : `adam --learning-rate ${learningRate / 2}`
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
const runFolderName = (contender: string): string =>
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
  /** Whether the contenders have their best rate of the grid, if they have one. */
  readonly tuned?: boolean
}

/** Resolves relative paths of all contenders. */
export const withAbsolutePathsOf = (plan: ComparisonPlan): ComparisonPlan => ({
  ...plan,
  contenders: plan.contenders.map((contender) => ({
    ...contender,
    config: withAbsolutePaths(contender.config),
  })),
})

/**
 * The run of a contender with a seed.
 *
 * @param parent - the folder of all runs.
 */
export const seedRun = ({ name, config }: Contender, seed: number, parent: string): PlannedRun =>
  contenderRun(name, { ...config, seed }, `seed ${seed}`, parent)

/**
 * A run of a contender.
 *
 * @param variant - what distinguishes it from the others of the contender.
 */
export const contenderRun = (
  contender: string,
  config: Config,
  variant: string,
  parent: string,
): PlannedRun =>
  new PlannedRun(
    `${contender} · ${variant}`,
    config,
    join(parent, `${runFolderName(contender)}-${variant.replaceAll(' ', '-')}`),
  )
