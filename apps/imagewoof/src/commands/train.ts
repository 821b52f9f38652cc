import { positiveInteger } from '@diffgrad/core'
import type { Command } from 'commander'
import { Comparison } from '../compare/comparison.ts'
import { addConfigOptions, pickSettings } from '../config/options.ts'
import { accuracyInterval } from '../evaluation/metrics.ts'
import { Failure } from '../failure.ts'
import { formatCount, formatDuration, formatInterval, formatPercent } from '../format.ts'
import { writeRunReport } from '../report/run-report.ts'
import { bestEpoch, trainingSeconds } from '../run/history.ts'
import { resolveSettings } from '../training/load-run.ts'
import { type Run, resumeRun, startRun } from '../training/run.ts'
import type { WatchOption } from '../watch/live-page.ts'
import {
  commandLine,
  dataPathOption,
  numberIn,
  runFolderPath,
  withoutArguments,
} from './command-line.ts'
import { runComparison, seedsFrom, startComparison } from './compare.ts'
import { runWatched, watchOption } from './watch.ts'

interface StartOptions {
  readonly out?: string
  readonly watch?: WatchOption
}

/** Adds `start`: `train` with defaults that need no argument, and hints on further commands. */
export function addStart(program: Command): void {
  const command = program
    .command('start')
    .description('prepare, train and report, by default on the embedded images')
    .option('--out <folder>', 'run folder (default: a new one in runs/)')
    .addOption(watchOption())
  addConfigOptions(withoutArguments(command)).action(
    async ({ out, watch, ...options }: StartOptions) => {
      const config = await resolveSettings(pickSettings(options))
      await runWatched(watch, {}, async (context) => {
        const run = await startRun(config, out ?? runFolderPath(config), context)
        await reportRun(run)
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
    .addOption(watchOption())
  addConfigOptions(withoutArguments(command)).action(
    async ({ out, runs, watch, ...options }: TrainOptions) => {
      const config = await resolveSettings(pickSettings(options))
      const path = out ?? runFolderPath(config)
      if (runs > 1) {
        const contenders = [{ name: config.optimizer, config }]
        const plan = { contenders, seeds: seedsFrom(config, runs), keep: true }
        return startComparison(path, plan, watch)
      }
      await runWatched(watch, {}, async (context) =>
        reportRun(await startRun(config, path, context)),
      )
    },
  )
}

interface ResumeCommandOptions {
  readonly data?: string
  readonly epochs?: number
  readonly watch?: WatchOption
}

/** Adds `resume`: continues an interrupted run or comparison, or a run with another number of epochs. */
export function addResume(program: Command): void {
  program
    .command('resume')
    .description('resume an interrupted run or comparison; the result equals an uninterrupted one')
    .argument('<run>', 'folder of a run or a comparison')
    .addOption(dataPathOption())
    .option(
      '--epochs <count>',
      'train a run for more or fewer epochs than planned; from the next step on, the schedule is that of so many epochs',
      numberIn(positiveInteger),
    )
    .addOption(watchOption())
    .action(async (path: string, { data, epochs, watch }: ResumeCommandOptions) => {
      const comparison = await Comparison.open(path)
      if (comparison && epochs !== undefined)
        throw new Failure(`--epochs needs a run, but ${path} is a comparison`)
      await comparison?.own()
      const options = [
        ...(data === undefined ? [] : ['--data', data]),
        ...(epochs === undefined ? [] : ['--epochs', `${epochs}`]),
      ]
      const resumeCommand = commandLine('resume', path, ...options)
      await runWatched(watch, { resumeCommand }, async (context) => {
        if (!comparison)
          return reportRun(await resumeRun(path, context, { dataPath: data, epochs }))
        if (await comparison.isFinished())
          context.screen.write(`${path} is finished: all ${comparison.runCount} runs are complete`)
        const dataset = data === undefined ? undefined : await comparison.openData(context, data)
        return runComparison(comparison, context, dataset)
      })
    })
}

/**
 * Writes the report of a run, and prints its result.
 *
 * @returns the run folder.
 */
async function reportRun({ folder, state, finished }: Run): Promise<string> {
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
    console.log(`to resume  ${commandLine('resume', folder.path)}`)
  }
  console.log(`run        ${folder.path}`)
  console.log(`report     ${report}`)
  return folder.path
}
