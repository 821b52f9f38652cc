import type { Command } from 'commander'
import { edge } from '../config/ranges.ts'
import type { Split } from '../data/dataset.ts'
import { type Opened, type OpenOptions, openDataset } from '../data/open.ts'
import { progressView } from '../data/progress-view.ts'
import { numeric } from './numeric.ts'

/** Adds `prepare`: makes a data set ready for training, and tells what is in it. */
export function addPrepare(program: Command): void {
  program
    .command('prepare')
    .description('fetch, check and decode a data set, and tell what is in it')
    .argument('<source>', 'a folder, an archive, or the name of a data set')
    .option('--size <pixels>', 'edge of the pictures trained on', numeric(edge), 64)
    .action(async (data: string, { size }: { readonly size: number }) => {
      const interruption = new AbortController()
      const interrupt = (): void => interruption.abort()
      process.once('SIGINT', interrupt)
      try {
        await prepare({ data, size, signal: interruption.signal })
      } catch (error) {
        if (!interruption.signal.aborted) throw error
        console.error('interrupted; what has been downloaded is kept')
        process.exitCode = 130
      } finally {
        process.off('SIGINT', interrupt)
      }
    })
}

/** Makes a data set ready, and prints what is in it. */
async function prepare(options: OpenOptions): Promise<Opened> {
  const view = progressView(process.stdout)
  const opened = await openDataset({ ...options, onProgress: view.onProgress }).finally(view.stop)
  console.log(summaryOf(opened))
  return opened
}

/** What there is to know about a data set, for people. */
export function summaryOf({ dataset, grey, skipped, folders }: Opened): string {
  const { name, hash, classes, train, validation } = dataset
  const width = Math.max(...classes.map((name) => name.length))
  const row = (name: string, ...counts: readonly number[]): string =>
    [name.padEnd(width), ...counts.map((n) => n.toLocaleString('en').padStart(8))].join('  ')
  return [
    `${name}: ${classes.length} classes`,
    '',
    `${''.padEnd(width)}  training  validation`,
    ...classes.map((name, label) => row(name, countOf(train, label), countOf(validation, label))),
    row('together', train.labels.length, validation.labels.length),
    '',
    ...(grey > 0 ? [`${grey} with one channel, which was made three`] : []),
    ...(skipped.length > 0 ? [`${skipped.length} skipped, being no pictures:`] : []),
    ...skipped.map(({ file, reason }) => `  ${file}: ${reason}`),
    ...(folders ? [`pictures  ${folders.pictures}`, `decoded   ${folders.decoded}`] : []),
    `hash      ${hash}`,
  ].join('\n')
}

const countOf = ({ labels }: Split, label: number): number =>
  labels.reduce((count, one) => count + (one === label ? 1 : 0), 0)
