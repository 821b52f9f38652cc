import { join } from 'node:path'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import { type Command, Option } from 'commander'
import type { Config } from '../config/config.ts'
import type { Dataset } from '../data/dataset.ts'
import { checkBackbone } from '../model/backbone.ts'
import type { ProviderChoice } from '../provider.ts'
import type { PageContent } from '../report/page.ts'
import { requireNewFolder } from '../run/run-folder.ts'
import type { CommandContext } from '../terminal/context.ts'
import { openData, requireBatches } from '../training/session.ts'
import { type Jobs, jobCount, trainByProcesses } from '../trials/local.ts'
import type { OnRun, TrialPlan } from '../trials/plan.ts'
import type { RedisAddress } from '../trials/redis.ts'
import type { WatchOption } from '../watch/live-page.ts'
import {
  commandLine,
  jobsOption,
  providerOption,
  queueOption,
  resumeCommandLine,
} from './command-line.ts'
import { runWatched, watchOption } from './watch.ts'

// What `compare`, `sweep` and `resume` do with a plan of runs.

/** How the runs of a plan are trained. */
export interface Execution {
  readonly planOnly?: true | undefined
  readonly jobs?: Jobs | undefined
  readonly queue?: RedisAddress | undefined
  readonly watch?: WatchOption | undefined
  readonly provider?: ProviderChoice | undefined
}

/** The options of a command that makes a plan. */
export interface PlanOptions extends Execution {
  readonly out?: string
}

/**
 * Adds the options of a command that makes a plan.
 *
 * @param withRuns - keys of options that `--plan-only` excludes, because they train.
 */
export const addPlanOptions = (command: Command, withRuns: readonly string[] = []): Command =>
  command
    .option('--out <folder>', 'folder of all runs (default: a new one in runs/)')
    .addOption(
      new Option(
        '--plan-only',
        'train nothing: write the plan, and print the commands that train each run and write the report',
      ).conflicts([...withRuns, 'jobs', 'queue', 'watch']),
    )
    .addOption(jobsOption())
    .addOption(queueOption())
    .addOption(providerOption())
    .addOption(watchOption())

/** A plan, and how its results are written. */
export interface ReportedPlan {
  readonly plan: TrialPlan
  /** Trains what comes before the runs. */
  prepare?(context: CommandContext, onRun?: OnRun): Promise<void>
  /** The report. */
  content(): Promise<PageContent>
  /** The result, as the command prints it. */
  lines(): Promise<readonly string[]>
}

/** A plan that a command makes. */
interface NewPlan {
  readonly path: string
  /** Of all runs. The first one names the data. */
  readonly configs: readonly Config[]
  create(dataset: Dataset, context: CommandContext): Promise<ReportedPlan>
}

/** Creates a plan, and trains all of its runs, or prints the commands that do. */
export const startPlan = (
  { path, configs, create }: NewPlan,
  { planOnly, jobs, queue, watch, provider: choice }: Execution,
): Promise<void> => {
  const provider = { choice, engines: configs.map(({ engine }) => engine) }
  return runWatched(watch, { provider }, async (context) => {
    await requireNewFolder(path, 'folder')
    for (const config of configs) await checkBackbone(config)
    const dataset = await openData(configs[0], context)
    for (const config of configs) requireBatches(config, dataset.train.labels.length)
    const reported = await create(dataset, context)
    if (planOnly) {
      printCommands(reported.plan, choice)
      return path
    }
    try {
      // Without references to the data: what comes before the runs may need the memory for others.
      return await runPlan(reported, context, {
        ...{ jobs, queue },
        dataset: reported.prepare ? undefined : dataset,
      })
    } catch (error) {
      await reported.plan.deleteIfEmpty()
      throw error
    }
  })
}

/** Prints the commands that train the runs of a plan. */
function printCommands(
  { path, runCount, rounds }: TrialPlan,
  choice: ProviderChoice | undefined,
): void {
  const provider = choice === undefined ? [] : ['--provider', choice]
  const each = commandLine('resume', path, '--trial', '0', ...provider)
  const last = runCount - 1
  console.log(`plan       ${path}`)
  console.log(
    `each       ${each}${last > 0 ? `  (0 to ${last}, in any order, on any machine)` : ''}`,
  )
  if (rounds > 1)
    console.log(
      `rounds     ${rounds}: train all, so often; each time when all of before have ended`,
    )
  console.log(`then       ${commandLine('resume', path)}  (trains what is missing; the report)`)
}

/** How the remaining runs of a plan are trained. */
interface Remaining {
  /** Number of processes; undefined for this one. */
  readonly jobs?: Jobs | undefined
  /** The queue from which workers take them; undefined to train them on this machine. */
  readonly queue?: RedisAddress | undefined
  /** The data, if it is already open. */
  readonly dataset?: Dataset | undefined
}

/**
 * Trains the remaining runs of a plan, writes its table and report, and prints its result.
 *
 * @returns the folder of the plan.
 */
export async function runPlan(
  reported: ReportedPlan,
  context: CommandContext,
  remaining: Remaining,
): Promise<string> {
  const { plan } = reported
  const { livePage } = context
  const show =
    livePage &&
    (async (heading: string): Promise<void> =>
      livePage.showComparison(heading, (await reported.content()).content))
  await reported.prepare?.(context, show)
  if (remaining.queue && !(await plan.isFinished()))
    context.screen.write(`to train  ${commandLine('worker', remaining.queue.name)}`)
  await trainAll(plan, context, remaining, show)
  await show?.('')
  await plan.saveTable()
  const report = await writePlanReport(reported)
  console.log()
  for (const line of await reported.lines()) console.log(line)
  const { jobs, queue } = remaining
  const options = [
    ...(jobs === undefined ? [] : ['--jobs', `${jobs}`]),
    ...(queue === undefined ? [] : ['--queue', queue.name]),
  ]
  if (context.signal.aborted)
    console.log(`to resume  ${resumeCommandLine(plan.path, context, ...options)}`)
  console.log(`report     ${report}`)
  return plan.path
}

/** Trains what remains, round by round, until nothing does, except runs of other processes. */
async function trainAll(
  plan: TrialPlan,
  context: CommandContext,
  { jobs, queue, dataset }: Remaining,
  onRun?: OnRun,
): Promise<void> {
  let opened = dataset
  const open = async (): Promise<Dataset> => {
    opened ??= await plan.openData(context)
    return opened
  }
  const threads = context.threads ?? Math.max(...plan.runs.map(({ config }) => config.threads))
  const tried = new Set<string>()
  // The end of all runs of a round makes the next one.
  for (let round = 0; !context.signal.aborted; round++) {
    const free = (await plan.remainingRuns()).filter(({ owner }) => owner === undefined)
    const targets = free.map(({ number, until }) => `${number} to ${until}`)
    // In the first one, runs of other processes are listed.
    if (round > 0 && targets.every((target) => tried.has(target))) break
    for (const target of targets) tried.add(target)
    const status = await plan.status()
    if (status !== undefined && targets.length > 0) context.screen.write(status)
    if (queue) await (await import('../trials/queue.ts')).trainByQueue(plan, queue, context)
    else if (jobs === undefined) await plan.trainRemaining(context, open, onRun)
    else await trainByProcesses(plan, jobCount(jobs, threads), context)
  }
  if (!context.signal.aborted) await plan.finishRuns()
}

/**
 * Writes report.html of a plan.
 *
 * @returns the path of the report.
 */
export async function writePlanReport({ plan, content }: ReportedPlan): Promise<string> {
  const { page } = await import('../report/page.ts')
  const { title, content: sections } = await content()
  const path = join(plan.path, 'report.html')
  await replaceFile(path, Buffer.from(page(title, sections)))
  return path
}
