import { positiveInteger } from '@diffgrad/core'
import { type Command, Option } from 'commander'
import { Comparison } from '../compare/comparison.ts'
import { contendersOf, presets, usual } from '../compare/contender.ts'
import type { Plan } from '../compare/plan.ts'
import { standingsOf } from '../compare/standing.ts'
import type { Config } from '../config/config.ts'
import { addConfigOptions, givenOf } from '../config/options.ts'
import type { Dataset } from '../data/dataset.ts'
import { writeCompareReport } from '../report/compare-report.ts'
import { percent } from '../report/numbers.ts'
import { openData } from '../training/pictures.ts'
import type { Surface } from '../training/surface.ts'
import { commandLine } from './command-line.ts'
import { freshFolder } from './fresh-folder.ts'
import { numeric } from './numeric.ts'
import { interruptibly } from './surface.ts'

interface Options {
  readonly preset?: string
  readonly runs: number
  readonly out?: string
}

/** Adds `compare`: several optimizers from the same weights, on the same batches, from several seeds. */
export function addCompare(program: Command): void {
  const command = program
    .command('compare')
    .description('compare optimizers: same weights, same batches, several seeds, one report')
    .argument(
      '[contenders...]',
      `such as ${usual.map((name) => `"${name}"`).join(' ')} (the default)`,
    )
    .addOption(new Option('--preset <name>', 'contenders by a name').choices(Object.keys(presets)))
    .option('--runs <count>', 'how many seeds', numeric(positiveInteger), 3)
    .option('--out <folder>', 'the folder of all runs (default: a new one in runs/)')
  addConfigOptions(command, ['optimizer']).action(
    async (names: readonly string[], { preset, runs, out, ...options }: Options) => {
      const given = givenOf(options)
      const wanted = preset ? [...presets[preset], ...names] : names.length > 0 ? names : usual
      const contenders = contendersOf(wanted, given)
      const seeds = seedsFrom(contenders[0].config, runs)
      await startComparison(out ?? freshFolder('compare'), { contenders, seeds, keep: false })
    },
  )
}

/** The seed of a configuration, and those after it. */
export const seedsFrom = ({ seed }: Config, runs: number): readonly number[] =>
  Array.from({ length: runs }, (_, i) => seed + i)

/** Makes a comparison, with all of its runs. */
export const startComparison = (path: string, plan: Plan): Promise<void> =>
  interruptibly(async (surface) => {
    const dataset = await openData(plan.contenders[0].config, surface)
    const comparison = await Comparison.create(path, plan, dataset)
    try {
      await carryOutComparison(comparison, surface, dataset)
    } catch (error) {
      await comparison.removeUnlessBegun()
      throw error
    }
  })

/** Makes the runs that a comparison lacks, and reports it. */
export async function carryOutComparison(
  comparison: Comparison,
  surface: Surface,
  dataset?: Dataset,
): Promise<void> {
  await comparison.carryOn(surface, dataset)
  await comparison.saveTable()
  const report = await writeCompareReport(comparison)
  const names = comparison.plan.contenders.map(({ name }) => name)
  const width = Math.max(...names.map((name) => name.length))
  console.log()
  for (const { contender, mean, top1 } of standingsOf(await comparison.outcomes(), names)) {
    const all = top1.map((share) => percent(share)).join(', ')
    console.log(`${contender.padEnd(width)}  ${percent(mean)}  (${all})`)
  }
  for (const { contender, seed, reason } of await comparison.failures())
    console.log(`${contender}, seed ${seed}: ${reason}`)
  if (surface.signal.aborted) console.log(`to go on  ${commandLine('resume', comparison.path)}`)
  console.log(`report    ${report}`)
}
