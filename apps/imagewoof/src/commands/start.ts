import type { Command } from 'commander'
import { resolveConfig } from '../config/config.ts'
import { addConfigOptions, givenOf } from '../config/options.ts'
import { type Run, startRun } from '../training/run.ts'
import { commandLine } from './command-line.ts'
import { folderFor } from './fresh-folder.ts'
import { reportRun } from './report-run.ts'
import { interruptibly } from './surface.ts'

/** Adds `start`: prepare, train and report, on the embedded data unless told otherwise. */
export function addStart(program: Command): void {
  const command = program
    .command('start')
    .description('prepare, train and report in one go, by default on embedded pictures')
    .option('--out <folder>', 'the run folder (default: a new one in runs/)')
  addConfigOptions(command).action(async ({ out, ...options }: { readonly out?: string }) => {
    const config = resolveConfig(givenOf(options))
    await interruptibly(async (surface) => {
      const run = await startRun(config, out ?? folderFor(config), surface)
      await reportRun(run)
      if (run.finished) console.log(`\n${whatNext(run)}`)
    })
  })
}

function whatNext({ folder: { path } }: Run): string {
  const ideas = [
    ['what a picture shows', commandLine('predict', path, 'photo.jpg')],
    ['ten breeds of dogs: fetches 93 MB', commandLine('--data', 'imagewoof2-160')],
    ['your photographs: train/<class>/*, val/<class>/*', commandLine('--data', 'folder')],
    ['diffGrad beside its relatives', commandLine('compare', '--preset', 'thread')],
    ['everything else', commandLine('--help')],
  ]
  const width = Math.max(...ideas.map(([, command]) => command.length))
  return [
    'to try next',
    ...ideas.map(([what, command]) => `  ${command.padEnd(width)}  ${what}`),
  ].join('\n')
}
