import { positiveInteger } from '@diffgrad/core'
import { communicator } from '@diffgrad/mpi'
import { type Command, Option } from 'commander'
import { Comparison } from '../compare/comparison.ts'
import { addConfigOptions, pickSettings } from '../config/options.ts'
import { wholeNumber } from '../config/schema.ts'
import { accuracyInterval } from '../evaluation/metrics.ts'
import { Failure, FolderExists, messageOf } from '../failure.ts'
import { formatCount, formatDuration, formatInterval, formatPercent } from '../format.ts'
import { machineArguments, type ProviderChoice } from '../provider.ts'
import { bestEpoch, trainingSeconds } from '../run/history.ts'
import { RunFolder } from '../run/run-folder.ts'
import { Sweep } from '../sweep/sweep.ts'
import type { CommandContext } from '../terminal/context.ts'
import { resolveSettings } from '../training/load-run.ts'
import { type Run, resumeRun, startRun } from '../training/run.ts'
import type { Jobs } from '../trials/local.ts'
import type { RedisAddress } from '../trials/redis.ts'
import type { WatchOption } from '../watch/live-page.ts'
import {
  commandLine,
  dataPathOption,
  jobsOption,
  numberIn,
  providerOption,
  queueOption,
  resumeCommandLine,
  runFolderPath,
  threadsOption,
  withoutArguments,
} from './command-line.ts'
import { reportedComparison, seedsFrom, startComparison } from './compare.ts'
import { type ReportedPlan, runPlan } from './plan.ts'
import { reportedSweep } from './sweep.ts'
import { runWatched, watchOption } from './watch.ts'

interface StartOptions {
  readonly out?: string
  readonly provider?: ProviderChoice
  readonly watch?: WatchOption
}

/** Adds `start`: `train` with defaults that need no argument, and hints on further commands. */
export function addStart(program: Command): void {
  const command = program
    .command('start')
    .description('prepare, train and report, by default on the embedded images')
    .option('--out <folder>', 'run folder (default: a new one in runs/)')
    .addOption(providerOption())
    .addOption(watchOption())
  addConfigOptions(withoutArguments(command)).action(
    async ({ out, provider: choice, watch, ...options }: StartOptions) => {
      const config = await resolveSettings(pickSettings(options))
      const provider = { choice, engines: [config.engine] }
      await runWatched(watch, { provider }, async (context) => {
        const run = await startRun(config, out ?? runFolderPath(config), context)
        await reportRun(run, context)
        if (run.finished) console.log(`\n${nextSteps(run)}`)
        return run.folder.path
      })
    },
  )
}

function nextSteps({ folder: { path } }: Run): string {
  const steps = [
    ['classify an image', commandLine('predict', path, 'photo.jpg')],
    ['ten breeds of dogs: downloads 93 MB', commandLine('--data', 'imagewoof2-160')],
    ['your photographs: train/<class>/*, val/<class>/*', commandLine('--data', 'folder')],
    ['compare optimizers', commandLine('compare', '--preset', 'diffgrad-family')],
    ['all commands', commandLine('--help')],
  ]
  const width = Math.max(...steps.map(([, command]) => command.length))
  return [
    'next steps',
    ...steps.map(([description, command]) => `  ${command.padEnd(width)}  ${description}`),
  ].join('\n')
}

interface TrainOptions extends StartOptions {
  readonly runs: number
}

/** Adds `train`: trains one network, or one for each of several seeds. */
export function addTrain(program: Command): void {
  const command = program
    .command('train')
    .description('train a network; writes a run folder with checkpoints and a report')
    .option('--out <folder>', 'run folder (default: a new one in runs/)')
    .option(
      '--runs <count>',
      'number of runs, each with another seed',
      numberIn(positiveInteger),
      1,
    )
    .addOption(providerOption())
    .addOption(watchOption())
  addConfigOptions(withoutArguments(command)).action(
    async ({ out, runs, provider: choice, watch, ...options }: TrainOptions) => {
      const ranks = await communicator()
      const config = await resolveSettings(pickSettings(options))
      const provider = { choice, engines: [config.engine] }
      const path = out ?? runFolderPath(config)
      if (runs > 1 && ranks.size > 1)
        throw new Failure(
          `--runs ${runs} trains in one process, but mpirun has started ${ranks.size}`,
        )
      if (ranks.size > 1 && out === undefined)
        throw new Failure(`${ranks.size} processes that train together need --out <folder>`)
      if (runs > 1) {
        const contenders = [{ name: config.optimizer, config }]
        const plan = { contenders, seeds: seedsFrom(config, runs), keep: true }
        return startComparison(path, plan, { watch, provider: choice })
      }
      const resumeCommand = ranks.size > 1 ? commandLine('resume', path) : undefined
      const how = { ...(resumeCommand && { resumeCommand }), provider, communicator: ranks }
      await runWatched(watch, how, async (context) =>
        reportRun(await withResumeHint(startRun(config, path, context), path, context), context),
      )
      await ranks.end()
    },
  )
}

interface ResumeCommandOptions {
  readonly data?: string
  readonly threads?: number
  readonly epochs?: number
  readonly trial?: number
  readonly jobs?: Jobs
  readonly queue?: RedisAddress
  readonly provider?: ProviderChoice
  readonly watch?: WatchOption
}

/** Opens a plan; undefined if the folder does not hold one. */
export async function openPlan(path: string): Promise<ReportedPlan | undefined> {
  const comparison = await Comparison.open(path)
  if (comparison) return reportedComparison(comparison)
  const sweep = await Sweep.open(path)
  return sweep && reportedSweep(sweep)
}

/** Adds `resume`: continues an interrupted run or plan, or a run with another number of epochs. */
export function addResume(program: Command): void {
  program
    .command('resume')
    .description(
      'resume an interrupted run, comparison or sweep; the result equals an uninterrupted one',
    )
    .argument('<run>', 'folder of a run, a comparison or a sweep')
    .addOption(dataPathOption())
    .addOption(threadsOption())
    .option(
      '--epochs <count>',
      'train a run for more or fewer epochs than planned; from the next step on, the schedule is that of so many epochs',
      numberIn(positiveInteger),
    )
    .addOption(
      new Option(
        '--trial <number>',
        'train only this run of a comparison or a sweep, counted from 0',
      )
        .argParser(numberIn(wholeNumber))
        .conflicts(['epochs', 'jobs', 'queue', 'watch']),
    )
    .addOption(jobsOption())
    .addOption(queueOption().conflicts(['data', 'threads']))
    .addOption(providerOption())
    .addOption(watchOption())
    .action(async (path: string, options: ResumeCommandOptions) => {
      const { data, threads, epochs, trial, jobs, queue, provider: choice, watch } = options
      const ranks = await communicator()
      const reported = await openPlan(path)
      const plan = reported?.plan
      if (plan && ranks.size > 1)
        throw new Failure(
          `${path}: a ${plan.kind} trains in one process, but mpirun has started ${ranks.size}`,
        )
      if (plan && epochs !== undefined)
        throw new Failure(`--epochs needs a run, but ${path} is a ${plan.kind}`)
      for (const [name, value] of Object.entries({ trial, jobs, queue }))
        if (!plan && value !== undefined)
          throw new Failure(`--${name} needs a comparison or a sweep, but ${path} is a run`)
      if (trial === undefined) await plan?.own()
      const configs = plan
        ? plan.runs.map(({ config }) => config)
        : [await (await RunFolder.open(path)).config()]
      const engines = configs.map(({ engine }) => engine)
      const provider = { choice, engines, threads, dataPath: data }
      const given = [
        ...machineArguments({ threads, dataPath: data }),
        ...(epochs === undefined ? [] : ['--epochs', `${epochs}`]),
        ...(trial === undefined ? [] : ['--trial', `${trial}`]),
        ...(jobs === undefined ? [] : ['--jobs', `${jobs}`]),
        ...(queue === undefined ? [] : ['--queue', queue.name]),
        ...(choice === undefined ? [] : ['--provider', choice]),
      ]
      const resumeCommand = commandLine('resume', path, ...given)
      const how = { resumeCommand, provider, communicator: ranks }
      await runWatched(watch, how, async (context) => {
        if (!reported) {
          const run = resumeRun(path, context, { epochs })
          return reportRun(await withResumeHint(run, path, context), context)
        }
        const { plan } = reported
        if (trial !== undefined) {
          await plan.trainRun(trial, context)
          if (context.signal.aborted) context.screen.write(`to resume  ${resumeCommand}`)
          return path
        }
        if (await plan.isFinished())
          context.screen.write(`${path} is finished: all ${plan.runCount} runs are complete`)
        else {
          const { provider: first } = await plan.environment()
          const { provider: now = 'cpu' } = context
          if (first !== undefined && first !== now)
            context.screen.write(`provider: ${first} → ${now}, for the runs that remain`)
        }
        // Data that the user names is checked before anything is trained.
        const dataset = data === undefined ? undefined : await plan.openData(context)
        return runPlan(reported, context, { jobs, queue, dataset })
      })
      await ranks.end()
    })
}

/**
 * Adds to an error of several ranks how to resume: the message of their launcher, which follows, hides what is
 * further above.
 */
async function withResumeHint(
  run: Promise<Run>,
  path: string,
  context: CommandContext,
): Promise<Run> {
  try {
    return await run
  } catch (cause) {
    const { ranks, signal } = context
    const isHintless = cause === signal.reason || cause instanceof FolderExists
    if (ranks.size === 1 || !ranks.isFirst || isHintless) throw cause
    if (!(await RunFolder.find(path))) throw cause
    const text = `${messageOf(cause)}\nto resume  ${resumeCommandLine(path, context)}`
    throw new Failure(text, { cause })
  }
}

/**
 * Writes the report of a run, and prints its result.
 *
 * @returns the run folder.
 */
async function reportRun(
  { folder, state, finished }: Run,
  context: CommandContext,
): Promise<string> {
  if (!context.ranks.isFirst) return folder.path
  const { writeRunReport } = await import('../report/run-report.ts') // Charts load slowly.
  const report = await writeRunReport(folder)
  const { history } = state
  const last = history.epochs[history.epochs.length - 1]
  const best = bestEpoch(history)
  if (finished && last && best) {
    const { data } = await folder.environment()
    console.log(
      `\ntop-1 accuracy ${formatPercent(last.top1)} (95 % interval ${formatInterval(accuracyInterval(last.top1, data.validation))}) on ${formatCount(data.validation)} validation images (best: ${formatPercent(best.top1)}, epoch ${best.epoch}), after ${formatDuration(trainingSeconds(history))} of training`,
    )
  } else {
    console.log(`\nInterrupted after ${history.losses.length} steps. A checkpoint was saved.`)
    console.log(`to resume  ${resumeCommandLine(folder.path, context)}`)
  }
  console.log(`run        ${folder.path}`)
  console.log(`report     ${report}`)
  return folder.path
}
