import { positive, positiveInteger } from '@diffgrad/core'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { Comparison } from '../compare/comparison.ts'
import {
  type ComparisonPlan,
  defaultContenders,
  parseContenders,
  presets,
} from '../compare/contenders.ts'
import {
  conclusion,
  type Difference,
  formatP,
  formatPoints,
  formatPointsInterval,
  noiseSentences,
  seedNoise,
  summarizeContenders,
} from '../compare/summary.ts'
import { defaultFactors, trialText, tuningWarnings, withGrid } from '../compare/tuning.ts'
import type { Config } from '../config/config.ts'
import { addConfigOptions, pickSettings } from '../config/options.ts'
import type { Dataset } from '../data/dataset.ts'
import { formatDuration, formatPercent } from '../format.ts'
import { checkBackbone } from '../model/backbone.ts'
import type { ProviderChoice } from '../provider.ts'
import { requireNewFolder } from '../run/run-folder.ts'
import type { CommandContext } from '../terminal/context.ts'
import { openData } from '../training/session.ts'
import { type Jobs, jobCount, trainByProcesses } from '../trials/local.ts'
import type { WatchOption } from '../watch/live-page.ts'
import {
  commandLine,
  jobsOption,
  newFolderPath,
  numberIn,
  type ProviderRequest,
  providerOption,
  resumeCommandLine,
} from './command-line.ts'
import { runWatched, watchOption } from './watch.ts'

interface CompareOptions {
  readonly preset?: string
  readonly runs?: number
  /** True for the default grid. */
  readonly tuneLearningRate?: readonly number[] | true
  readonly out?: string
  readonly planOnly?: true
  readonly jobs?: Jobs
  readonly provider?: ProviderChoice
  readonly watch?: WatchOption
}

/** Adds `compare`: trains several optimizers from the same weights, on the same batches, with several seeds. */
export function addCompare(program: Command): void {
  const command = program
    .command('compare')
    .description('compare optimizers: same weights, same batches, several seeds, one report')
    .argument(
      '[contenders...]',
      `optimizers with options (default: ${defaultContenders.map((name) => `"${name}"`).join(' ')})`,
    )
    .addOption(
      new Option(
        '--preset <name>',
        'contenders and settings of a known comparison; options change its settings',
      ).choices(Object.keys(presets)),
    )
    .option(
      '--runs <count>',
      'number of seeds (default: 3, or that of the preset)',
      numberIn(positiveInteger),
    )
    .addOption(tuneOption())
    .option('--out <folder>', 'folder of all runs (default: a new one in runs/)')
    .addOption(
      new Option(
        '--plan-only',
        'train nothing: write the plan, and print the commands that train each run and write the report',
      ).conflicts(['tuneLearningRate', 'jobs', 'watch']),
    )
    .addOption(jobsOption())
    .addOption(providerOption())
    .addOption(watchOption())
  addConfigOptions(command, ['optimizer', 'from', 'checkpoint']).action(
    async (names: readonly string[], compareOptions: CompareOptions) => {
      const { preset, tuneLearningRate, out, planOnly, jobs, provider, watch, ...options } =
        compareOptions
      const chosen = preset === undefined ? undefined : presets[preset]
      const selected = chosen
        ? [...chosen.contenders, ...names]
        : names.length > 0
          ? names
          : defaultContenders
      const settings = { ...chosen?.settings, ...pickSettings(options) }
      const factors = tuneLearningRate === true ? defaultFactors : tuneLearningRate
      const parsed = parseContenders(selected, settings, { tuned: factors !== undefined })
      const contenders = factors ? withGrid(parsed, factors) : parsed
      const seeds = seedsFrom(contenders[0].config, options.runs ?? chosen?.runs ?? 3)
      const plan = { contenders, seeds, keep: false }
      const path = out ?? newFolderPath('compare')
      await (planOnly
        ? planComparison(path, plan, provider)
        : startComparison(path, plan, { jobs, watch, provider }))
    },
  )
}

/** An option that tunes the learning rates of all contenders. `--tune` selects parameters to fine-tune. */
const tuneOption = (): Option =>
  new Option(
    '--tune-learning-rate [factors]',
    `before the runs, choose each contender's learning rate by its accuracy on a fifth of the training images, held out: its own rate times one of the factors (default: ${defaultFactors.join(',')})`,
  ).argParser((text) => {
    const factors = text.split(',').map((factor) => (factor === '' ? Number.NaN : Number(factor)))
    const isGrid = factors.length > 1 && new Set(factors).size === factors.length
    if (isGrid && factors.every((factor) => positive.includes(factor))) return factors
    throw new InvalidArgumentError(
      'It must be at least two different numbers above 0, such as 0.5,1,2; without any, write --tune-learning-rate last.',
    )
  })

/** The most threads that a run of a comparison uses. */
const threadsOf = ({ plan }: Comparison): number =>
  Math.max(...plan.contenders.map(({ config }) => config.threads))

/** The seed of a configuration, and the following ones. */
export const seedsFrom = ({ seed }: Config, runs: number): readonly number[] =>
  Array.from({ length: runs }, (_, i) => seed + i)

/** How the runs of a new comparison are trained. */
interface Execution {
  readonly jobs?: Jobs | undefined
  readonly watch?: WatchOption | undefined
  readonly provider?: ProviderChoice | undefined
}

/** Creates a comparison without training its runs, and prints the commands that do. */
const planComparison = (
  path: string,
  plan: ComparisonPlan,
  choice: ProviderChoice | undefined,
): Promise<void> =>
  runWatched(undefined, { provider: providerOf(plan, choice) }, async (context) => {
    const { comparison } = await createComparison(path, plan, context)
    const last = comparison.runCount - 1
    const provider = choice === undefined ? [] : ['--provider', choice]
    const each = commandLine('resume', path, '--trial', '0', ...provider)
    console.log(`plan       ${path}`)
    console.log(
      `each       ${each}${last > 0 ? `  (0 to ${last}, in any order, on any machine)` : ''}`,
    )
    console.log(`then       ${commandLine('resume', path)}  (trains what is missing; the report)`)
    return path
  })

/** Creates a comparison and trains all of its runs. */
export const startComparison = (
  path: string,
  plan: ComparisonPlan,
  { jobs, watch, provider: choice }: Execution,
): Promise<void> =>
  runWatched(watch, { provider: providerOf(plan, choice) }, async (context) => {
    const { comparison, dataset } = await createComparison(path, plan, context)
    try {
      // Tuning has data of its own: those of the runs are not kept in memory for so long.
      const opened = comparison.isTuning ? undefined : dataset
      return await runComparison(comparison, context, { jobs, dataset: opened })
    } catch (error) {
      await comparison.deleteIfEmpty()
      throw error
    }
  })

const providerOf = (
  { contenders }: ComparisonPlan,
  choice: ProviderChoice | undefined,
): ProviderRequest => ({ choice, engines: contenders.map(({ config }) => config.engine) })

async function createComparison(path: string, plan: ComparisonPlan, context: CommandContext) {
  await requireNewFolder(path, 'folder')
  for (const { config } of plan.contenders) await checkBackbone(config)
  const dataset = await openData(plan.contenders[0].config, context)
  return { comparison: await Comparison.create(path, plan, dataset, context.provider), dataset }
}

/** How the unfinished runs of a comparison are trained. */
interface Remaining {
  /** Number of processes; undefined for this one. */
  readonly jobs?: Jobs | undefined
  /** The data, if it is already open. */
  readonly dataset?: Dataset | undefined
}

/**
 * Trains the unfinished runs of a comparison, writes its report, and prints its result.
 *
 * @returns the folder of the comparison.
 */
export async function runComparison(
  comparison: Comparison,
  context: CommandContext,
  { jobs, dataset }: Remaining,
): Promise<string> {
  const { livePage } = context
  // Imported here because charts load slowly.
  const { comparisonContent, writeComparisonReport } = await import('../compare/report.ts')
  const show = async (heading: string): Promise<void> =>
    livePage?.showComparison(heading, (await comparisonContent(comparison)).content)
  await comparison.tune(context, livePage && show)
  if (context.signal.aborted || jobs === undefined)
    await comparison.trainRemaining(context, dataset, livePage && show)
  else await trainByProcesses(comparison, jobCount(jobs, threadsOf(comparison)), context)
  if (livePage) await show('')
  await comparison.saveTable()
  const report = await writeComparisonReport(comparison)
  const names = comparison.plan.contenders.map(({ name }) => name)
  const width = Math.max(...names.map((name) => name.length))
  console.log()
  const runs = await comparison.finishedRuns()
  const { validation } = (await comparison.environment()).data
  const summaries = summarizeContenders(runs, names, validation)
  for (const line of await tuningLines(comparison, width)) console.log(line)
  for (const { contender, mean, top1, difference, friction, seconds } of summaries) {
    const bySeed = top1.map((share) => formatPercent(share)).join(', ')
    const xi = friction === undefined ? '' : `, mean ξ ${friction.toFixed(5)}`
    console.log(
      `${contender.padEnd(width)}  ${formatPercent(mean)}  (${bySeed})  ${formatDuration(seconds)}${xi}`,
    )
    if (difference) console.log(`${' '.repeat(width)}  ${differenceText(difference, names[0])}`)
  }
  const found = conclusion(summaries, runs, validation)
  if (found !== undefined) console.log(found)
  for (const sentence of noiseSentences(seedNoise(summaries))) console.log(sentence)
  for (const { contender, seed, reason } of await comparison.failedRuns())
    console.log(`${contender}, seed ${seed}: ${reason}`)
  const jobsOptions = jobs === undefined ? [] : ['--jobs', `${jobs}`]
  if (context.signal.aborted)
    console.log(`to resume  ${resumeCommandLine(comparison.path, context, ...jobsOptions)}`)
  console.log(`report     ${report}`)
  return comparison.path
}

/** A difference from the first contender: `+0.4 points (−0.2 to +1.0), p = 0.12: no difference from adam`. */
function differenceText({ mean, interval, pValue, verdict }: Difference, first: string): string {
  const points = `${formatPoints(mean)} points`
  if (interval === undefined || pValue === undefined)
    return `${points} against ${first}: ${verdict}`
  return `${points} against ${first} (${formatPointsInterval(interval)}), ${formatP(pValue)}: ${verdict}`
}

/** The held-out accuracies of all learning rates, by contender, and warnings; none without tuning. */
async function tuningLines(comparison: Comparison, width: number): Promise<readonly string[]> {
  const trials = await comparison.trials()
  if (trials.length === 0) return []
  const { contenders, tuned = false } = comparison.plan
  const lines = contenders.map(({ name, config }) => {
    const results = trials
      .filter(({ contender }) => contender === name)
      .map((trial) => `${trial.rate}: ${trialText(trial)}`)
    const choice = tuned ? `  →  ${config.learningRate}` : ''
    return `${name.padEnd(width)}  ${results.join(', ')}${choice}`
  })
  const warnings = tuned ? tuningWarnings(contenders, trials) : []
  return ['held-out accuracy by learning rate', ...lines, ...warnings, '']
}
