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
import type { CommandContext } from '../terminal/context.ts'
import { newFolderPath, numberIn } from './command-line.ts'
import {
  addPlanOptions,
  type Execution,
  type PlanOptions,
  type ReportedPlan,
  startPlan,
} from './plan.ts'

interface CompareOptions extends PlanOptions {
  readonly preset?: string
  readonly runs?: number
  /** True for the default grid. */
  readonly tuneLearningRate?: readonly number[] | true
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
  addPlanOptions(command, ['tuneLearningRate'])
  addConfigOptions(command, ['optimizer', 'from', 'checkpoint']).action(
    async (names: readonly string[], compareOptions: CompareOptions) => {
      const { preset, tuneLearningRate, out, runs, ...options } = compareOptions
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
      const seeds = seedsFrom(contenders[0].config, runs ?? chosen?.runs ?? 3)
      const plan = { contenders, seeds, keep: false }
      const path = out ?? newFolderPath('compare')
      await startComparison(path, plan, options)
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

/** The seed of a configuration, and the following ones. */
export const seedsFrom = ({ seed }: Config, runs: number): readonly number[] =>
  Array.from({ length: runs }, (_, i) => seed + i)

/** Creates a comparison, and trains all of its runs, or none with `planOnly`. */
export const startComparison = (
  path: string,
  plan: ComparisonPlan,
  execution: Execution,
): Promise<void> => {
  const configs = plan.contenders.map(({ config }) => config)
  const create = async (dataset: Dataset, context: CommandContext): Promise<ReportedPlan> =>
    reportedComparison(await Comparison.create(path, plan, dataset, context))
  return startPlan({ path, configs, create }, execution)
}

/** A comparison, and how its results are written. */
export const reportedComparison = (comparison: Comparison): ReportedPlan => ({
  plan: comparison,
  ...(comparison.isTuning && { prepare: (context, onRun) => comparison.tune(context, onRun) }),
  // Imported there because charts load slowly.
  content: async () => (await import('../compare/report.ts')).comparisonContent(comparison),
  lines: () => comparisonLines(comparison),
})

/** The result of a comparison, in lines. */
async function comparisonLines(comparison: Comparison): Promise<readonly string[]> {
  const names = comparison.plan.contenders.map(({ name }) => name)
  const width = Math.max(...names.map((name) => name.length))
  const runs = await comparison.finishedRuns()
  const { validation } = (await comparison.environment()).data
  const summaries = summarizeContenders(runs, names, validation)
  const found = conclusion(summaries, runs, validation)
  return [
    ...(await tuningLines(comparison, width)),
    ...summaries.flatMap(({ contender, mean, top1, difference, friction, seconds }) => {
      const bySeed = top1.map((share) => formatPercent(share)).join(', ')
      const xi = friction === undefined ? '' : `, mean ξ ${friction.toFixed(5)}`
      const line = `${contender.padEnd(width)}  ${formatPercent(mean)}  (${bySeed})  ${formatDuration(seconds)}${xi}`
      return difference
        ? [line, `${' '.repeat(width)}  ${differenceText(difference, names[0])}`]
        : [line]
    }),
    ...(found === undefined ? [] : [found]),
    ...noiseSentences(seedNoise(summaries)),
    ...(await comparison.failedRuns()).map(
      ({ contender, seed, reason }) => `${contender}, seed ${seed}: ${reason}`,
    ),
  ]
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
