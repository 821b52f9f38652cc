import { positiveInteger } from '@diffgrad/core'
import { type Command, Option } from 'commander'
import { type Config, dataSettings, heldOutShare, optionName } from '../config/config.ts'
import { addConfigOptions, pickSettings } from '../config/options.ts'
import { schema, wholeNumber } from '../config/schema.ts'
import type { Dataset } from '../data/dataset.ts'
import { Failure, messageOf } from '../failure.ts'
import { formatPercent } from '../format.ts'
import { halvingRungs } from '../sweep/halving.ts'
import {
  describeValues,
  drawPoints,
  gridOf,
  type OptionValues,
  splitOptions,
} from '../sweep/space.ts'
import { type CandidateResult, Sweep, type SweepPlan } from '../sweep/sweep.ts'
import type { CommandContext } from '../terminal/context.ts'
import { resolveSettings } from '../training/load-run.ts'
import { commandLine, newFolderPath, numberIn, withoutArguments } from './command-line.ts'
import { seedsFrom } from './compare.ts'
import { addPlanOptions, type PlanOptions, type ReportedPlan, startPlan } from './plan.ts'

/** Settings that all runs of a sweep share: they have the same data, and its seeds are `--runs`. */
const shared: readonly string[] = [
  ...dataSettings,
  ...['seed', 'threads', 'saveEvery', 'from', 'checkpoint', 'tune'],
]

const searched = Object.keys(schema.shape).filter((key) => !shared.includes(key))

const help = `
Values:
  --learning-rate 1e-4,1e-3,1e-2  a list; without --random, all combinations of lists are trained
  --learning-rate 1e-5..1e-2:log  a range to draw from, on a logarithmic scale; needs --random
  --beta1 0.9..0.99               likewise, on a linear scale
  --self-attention true,false     with and without an option that has no value
Options with one value are the same for all runs, and so are those of the data.`

interface SweepOptions extends PlanOptions {
  readonly runs: number
  readonly random?: number
  readonly randomSeed?: number
  readonly halve?: number
}

/** Adds `sweep`: trains many configurations, and ranks them. */
export function addSweep(program: Command): void {
  const command = program
    .command('sweep')
    .description(
      'search settings: a grid or random draws of options of train, ranked by their accuracy',
    )
    .option(
      '--random <count>',
      'train so many candidates, drawn from the lists and ranges of the options; without it, all combinations of lists',
      numberIn(positiveInteger),
    )
    .option('--random-seed <number>', 'seed of the draws (default: 1)', numberIn(wholeNumber))
    .option(
      '--halve <eta>',
      'successive halving: train all for a few epochs, and only the best 1/eta of them for eta times as many, until the last have all --epochs',
      numberIn({
        text: 'a whole number, at least 2',
        includes: (value) => Number.isSafeInteger(value) && Number(value) >= 2,
      }),
    )
    .option(
      '--runs <count>',
      'number of seeds of each candidate, which is ranked by the mean',
      numberIn(positiveInteger),
      1,
    )
  addPlanOptions(withoutArguments(command))
  addConfigOptions(command, [], searched)
    .addOption(
      new Option(
        '--no-hold-out',
        `rank by the validation images; otherwise by a share of the training images (default: ${heldOutShare})`,
      ).helpGroup('Data:'),
    )
    .addHelpText('after', help)
    .action(async ({ out, ...options }: SweepOptions) => {
      const plan = await planOf(options)
      const path = out ?? newFolderPath('sweep')
      const configs = plan.candidates.map(({ config }) => config)
      const create = async (dataset: Dataset, context: CommandContext): Promise<ReportedPlan> =>
        reportedSweep(await Sweep.create(path, plan, dataset, context))
      await startPlan({ path, configs, create }, options)
    })
}

/** @throws {Failure} If nothing is searched, or a candidate is no configuration. */
async function planOf(options: SweepOptions): Promise<SweepPlan> {
  const { runs, random, randomSeed, halve } = options
  const { settings: given, space } = splitOptions(pickSettings(options), searched)
  // Text that is no number is left to the schema, unless it is a list or a range.
  for (const [key, value] of Object.entries(given))
    if (shared.includes(key) && isNumber(key) && typeof value === 'string' && /[,.]./.test(value))
      throw new Failure(
        `${optionName(key)} must be the same for all runs of a sweep, but is ${value}`,
      )
  if (Object.keys(space).length === 0)
    throw new Failure(
      'a sweep needs an option with several values, such as --learning-rate 1e-4,1e-3,1e-2; with --random also a range, such as --learning-rate 1e-5..1e-2:log',
    )
  if (randomSeed !== undefined && random === undefined)
    throw new Failure(`--random-seed ${randomSeed} needs --random <count>`)
  if (halve !== undefined && 'epochs' in space)
    throw new Failure('--halve excludes several values of --epochs: rungs are epochs')
  const settings = withHeldOut(given)
  const search =
    random === undefined
      ? ({ kind: 'grid' } as const)
      : ({ kind: 'random', count: random, seed: randomSeed ?? 1 } as const)
  const points =
    search.kind === 'grid' ? gridOf(space) : drawPoints(space, search.count, search.seed)
  const candidates = []
  for (const values of points) candidates.push({ values, config: await configOf(settings, values) })
  const epochs = Math.max(...candidates.map(({ config }) => config.epochs))
  const rungs =
    halve === undefined
      ? [{ epochs, candidates: candidates.length }]
      : halvingRungs(candidates.length, epochs, halve)
  const seeds = seedsFrom(candidates[0].config, runs)
  return { search, space, settings, candidates, seeds, rungs }
}

/** Whether the values of a setting are numbers. */
const isNumber = (key: string): boolean =>
  Object.entries(schema.shape).some(
    ([name, { def }]) => name === key && def.innerType.def.type === 'custom',
  )

/** Settings of the command line: `--no-hold-out` is false. */
type GivenSettings = Omit<Partial<Config>, 'holdOut'> & {
  readonly holdOut?: number | false | undefined
}

/** Holds out training images, unless the user said otherwise. */
function withHeldOut({ holdOut = heldOutShare, ...settings }: GivenSettings): Partial<Config> {
  if (holdOut === false) return settings
  if (settings.validationImages !== undefined)
    throw new Failure(
      `--validation-images ${settings.validationImages} needs --no-hold-out: without it, a sweep does not see the validation images`,
    )
  return { ...settings, holdOut }
}

async function configOf(settings: Partial<Config>, values: OptionValues): Promise<Config> {
  try {
    return await resolveSettings({ ...settings, ...values })
  } catch (cause) {
    throw new Failure(`candidate "${describeValues(values)}": ${messageOf(cause)}`, { cause })
  }
}

/** A sweep, and how its results are written. */
export const reportedSweep = (sweep: Sweep): ReportedPlan => ({
  plan: sweep,
  // Imported there because charts load slowly.
  content: async () => (await import('../sweep/report.ts')).sweepContent(sweep),
  lines: () => sweepLines(sweep),
})

/** How many candidates the result of a sweep lists. */
const listed = 20

/** The result of a sweep, in lines. */
async function sweepLines(sweep: Sweep): Promise<readonly string[]> {
  const results = await sweep.results()
  const lines = results.slice(0, listed).map((result) => resultLine(result, sweep.rounds))
  const more = results.length - lines.length
  const [best] = results
  return [
    ...lines,
    ...(more > 0 ? [`and ${more} more: report.html and sweep.csv`] : []),
    ...(best.score && (await sweep.isFinished())
      ? [`to train   ${commandLine('train', ...sweep.argumentsOf(best))}`]
      : []),
  ]
}

function resultLine({ score, runs, rung, name, config }: CandidateResult, rungs: number): string {
  const failure = runs.find((run) => run.failure !== undefined)?.failure
  const bySeed = runs.map(({ row }) => (row ? formatPercent(row.top1) : '–')).join(', ')
  const mean = score ? formatPercent(score.top1) : failure === undefined ? '–' : 'diverged'
  const epochs = Math.min(...runs.map(({ history }) => history.length))
  return [
    mean.padStart(8),
    ...(runs.length > 1 ? [`(${bySeed})`] : []),
    `epoch ${epochs} of ${config.epochs}${rungs > 1 ? `, rung ${rung + 1} of ${rungs}` : ''}`,
    name,
    ...(failure === undefined ? [] : [failure]),
  ].join('  ')
}
