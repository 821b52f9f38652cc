import type { Command } from 'commander'
import { dataOptions, dataSettings, resolveConfig } from '../config/config.ts'
import { addConfigOptions } from '../config/options.ts'
import { schema } from '../config/schema.ts'
import type { Split } from '../data/dataset.ts'
import { type OpenedDataset, type OpenOptions, openDataset } from '../data/open.ts'
import { formatCount, formatPercent } from '../format.ts'
import { showDataProgress } from '../terminal/data-progress.ts'
import { Screen } from '../terminal/screen.ts'

const otherSettings = Object.keys(schema.shape).filter(
  (key) => key === 'data' || !dataSettings.some((name) => name === key),
)

/** Adds `prepare`: downloads and decodes a data set, and prints what it holds. */
export function addPrepare(program: Command): void {
  const command = program
    .command('prepare')
    .description('download, check and decode a data set, and print what it holds')
    .argument('<source>', 'a folder, an archive or its URL, a CSV, or the name of a data set')
  addConfigOptions(command, otherSettings).action(async (data: string, settings: object) => {
    const config = resolveConfig({ ...settings, data })
    const interruption = new AbortController()
    const interrupt = (): void => interruption.abort()
    process.once('SIGINT', interrupt)
    try {
      await prepare({ ...dataOptions(config), signal: interruption.signal })
    } catch (error) {
      if (!interruption.signal.aborted) throw error
      console.error('interrupted; the partial download is kept')
      process.exitCode = 130
    } finally {
      process.off('SIGINT', interrupt)
    }
  })
}

async function prepare(options: OpenOptions): Promise<void> {
  const view = showDataProgress(new Screen(process.stdout))
  const opened = await openDataset({ ...options, onProgress: view.onProgress }).finally(view.stop)
  console.log(describeDataset(opened))
}

/** The classes, image counts, skipped files, folders and hash of a data set, as text. */
export function describeDataset(opened: OpenedDataset): string {
  const { dataset, grey, skipped, drawn, folders } = opened
  const { name, hash, classes, train, validation, warnings } = dataset
  const width = Math.max(...classes.map((name) => name.length))
  const row = (name: string, ...counts: readonly number[]): string =>
    [name.padEnd(width), ...counts.map((n) => formatCount(n).padStart(8))].join('  ')
  return [
    `${name}: ${classes.length} classes`,
    '',
    `${''.padEnd(width)}  training  validation`,
    ...classes.map((name, label) => row(name, countOf(train, label), countOf(validation, label))),
    row('total', train.labels.length, validation.labels.length),
    '',
    ...(grey > 0 ? [`${grey} one-channel images, converted to RGB`] : []),
    ...(drawn !== undefined
      ? [`${formatPercent(drawn, 0)} of the images were drawn for validation, by their contents`]
      : []),
    ...warnings.map((warning) => `warning: ${warning}`),
    ...(skipped.length > 0 ? [`${formatCount(skipped.length)} skipped:`] : []),
    ...skipped.map(({ file, reason }) => `  ${file}: ${reason}`),
    ...(folders ? [`images    ${folders.images}`, `decoded   ${folders.decoded}`] : []),
    `hash      ${hash}`,
  ].join('\n')
}

const countOf = ({ labels }: Split, label: number): number =>
  labels.reduce((count, other) => count + (other === label ? 1 : 0), 0)
