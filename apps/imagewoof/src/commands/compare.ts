import { positiveInteger } from '@diffgrad/core'
import { type Command, Option } from 'commander'
import { Comparison } from '../compare/comparison.ts'
import {
  type ComparisonPlan,
  defaultContenders,
  parseContenders,
  presets,
} from '../compare/contenders.ts'
import { noiseText, summarizeContenders, winnerOf } from '../compare/summary.ts'
import type { Config } from '../config/config.ts'
import { addConfigOptions, pickSettings } from '../config/options.ts'
import type { Dataset } from '../data/dataset.ts'
import { formatPercent } from '../format.ts'
import { checkBackbone } from '../model/backbone.ts'
import type { ProviderChoice } from '../provider.ts'
import { requireNewFolder } from '../run/run-folder.ts'
import type { CommandContext } from '../terminal/context.ts'
import { openData } from '../training/session.ts'
import type { WatchOption } from '../watch/live-page.ts'
import { newFolderPath, numberIn, providerOption, resumeCommandLine } from './command-line.ts'
import { runWatched, watchOption } from './watch.ts'

interface CompareOptions {
  readonly preset?: string
  readonly runs: number
  readonly out?: string
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
    .addOption(new Option('--preset <name>', 'a list of contenders').choices(Object.keys(presets)))
    .option('--runs <count>', 'number of seeds', numberIn(positiveInteger), 3)
    .option('--out <folder>', 'folder of all runs (default: a new one in runs/)')
    .addOption(providerOption())
    .addOption(watchOption())
  addConfigOptions(command, ['optimizer', 'from', 'checkpoint']).action(
    async (names: readonly string[], compareOptions: CompareOptions) => {
      const { preset, runs, out, provider, watch, ...options } = compareOptions
      const selected = preset
        ? [...presets[preset], ...names]
        : names.length > 0
          ? names
          : defaultContenders
      const contenders = parseContenders(selected, pickSettings(options))
      const seeds = seedsFrom(contenders[0].config, runs)
      const plan = { contenders, seeds, keep: false }
      await startComparison(out ?? newFolderPath('compare'), plan, watch, provider)
    },
  )
}

/** The seed of a configuration, and the following ones. */
export const seedsFrom = ({ seed }: Config, runs: number): readonly number[] =>
  Array.from({ length: runs }, (_, i) => seed + i)

/** Creates a comparison and trains all of its runs. */
export const startComparison = (
  path: string,
  plan: ComparisonPlan,
  watch: WatchOption | undefined,
  choice: ProviderChoice | undefined,
): Promise<void> => {
  const provider = { choice, engines: plan.contenders.map(({ config }) => config.engine) }
  return runWatched(watch, { provider }, async (context) => {
    await requireNewFolder(path, 'folder')
    for (const { config } of plan.contenders) await checkBackbone(config)
    const dataset = await openData(plan.contenders[0].config, context)
    const comparison = await Comparison.create(path, plan, dataset, context.provider)
    try {
      return await runComparison(comparison, context, dataset)
    } catch (error) {
      await comparison.deleteIfEmpty()
      throw error
    }
  })
}

/**
 * Trains the unfinished runs of a comparison, writes its report, and prints its result.
 *
 * @returns the folder of the comparison.
 */
export async function runComparison(
  comparison: Comparison,
  context: CommandContext,
  dataset?: Dataset,
): Promise<string> {
  const { livePage } = context
  // Imported here because charts load slowly.
  const { comparisonContent, writeComparisonReport } = await import('../compare/report.ts')
  const show = async (heading: string): Promise<void> =>
    livePage?.showComparison(heading, (await comparisonContent(comparison)).content)
  await comparison.trainRemaining(context, dataset, livePage && show)
  if (livePage) await show('')
  await comparison.saveTable()
  const report = await writeComparisonReport(comparison)
  const names = comparison.plan.contenders.map(({ name }) => name)
  const width = Math.max(...names.map((name) => name.length))
  console.log()
  const runs = await comparison.finishedRuns()
  const { validation } = (await comparison.environment()).data
  const summaries = summarizeContenders(runs, names, validation)
  for (const { contender, mean, top1, difference } of summaries) {
    const bySeed = top1.map((share) => formatPercent(share)).join(', ')
    const { pValue } = difference
    const noise = pValue === undefined ? '' : `  ${noiseText(pValue)}`
    console.log(`${contender.padEnd(width)}  ${formatPercent(mean)}  (${bySeed})${noise}`)
  }
  if (summaries.length > 1) {
    const winner = winnerOf(summaries, runs, validation)
    console.log(
      winner === undefined
        ? 'no winner: the best mean differs from at least one other within the noise'
        : `winner: ${winner}, which differs from every other beyond the noise`,
    )
  }
  for (const { contender, seed, reason } of await comparison.failedRuns())
    console.log(`${contender}, seed ${seed}: ${reason}`)
  if (context.signal.aborted)
    console.log(`to resume  ${resumeCommandLine(comparison.path, context)}`)
  console.log(`report     ${report}`)
  return comparison.path
}
