import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { positiveInteger } from '@diffgrad/core'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import type { Command } from 'commander'
import { type Config, resolveConfig } from '../config/config.ts'
import { addConfigOptions, pickSettings } from '../config/options.ts'
import type { Batch } from '../data/batch.ts'
import { type Dataset, type Split, selectImages } from '../data/dataset.ts'
import { createLoader } from '../data/loader/loader.ts'
import { Failure } from '../failure.ts'
import { batchReport, maxShown, type ShownBatches } from '../report/batch-report.ts'
import { exists } from '../run/run-folder.ts'
import { runInterruptibly } from '../terminal/context.ts'
import { openData, openLoader } from '../training/session.ts'
import { newFolderPath, numberIn, withoutArguments } from './command-line.ts'

interface ShowBatchOptions {
  readonly epoch: number
  readonly out?: string
}

/** Adds `show-batch`: a page of the images that `train`, with the same options, would pass to the network. */
export function addShowBatch(program: Command): void {
  const command = program
    .command('show-batch')
    .description('write a page of what the network sees; takes the options of train')
    .option('--epoch <number>', 'epoch of the training batch', numberIn(positiveInteger), 1)
    .option('--out <file>', 'HTML file to write (default: a new one in runs/)')
  addConfigOptions(withoutArguments(command)).action(
    async ({ epoch, out, ...options }: ShowBatchOptions) => {
      const config = resolveConfig(pickSettings(options))
      if (epoch > config.epochs)
        throw new Failure(`--epoch must be at most ${config.epochs}, --epochs, but is ${epoch}`)
      const path = out ?? `${newFolderPath('show-batch')}.html`
      if (await exists(path)) throw new Failure(`${path}: already exists; choose another --out`)
      await runInterruptibly(async (context) => {
        const dataset = await openData(config, context)
        const report = await batchReport(
          config,
          dataset,
          await firstBatches(config, dataset, epoch),
        )
        await mkdir(dirname(path), { recursive: true })
        await replaceFile(path, Buffer.from(report))
        console.log(`page       ${path}`)
      })
    },
  )
}

/** The first training batch of an epoch, and validation images from all classes in turn. */
async function firstBatches(
  config: Config,
  dataset: Dataset,
  epoch: number,
): Promise<ShownBatches> {
  const loader = openLoader(dataset, config)
  const validation = selectImages(dataset.validation, inTurn(dataset.validation, maxShown))
  const shown = createLoader(
    { ...dataset, validation },
    { ...config, batch: validation.labels.length },
  )
  try {
    return {
      epoch,
      training: await firstOf(loader.train(epoch - 1)),
      validation: await firstOf(shown.validation()),
      files: validation.files,
    }
  } finally {
    await loader.dispose()
    await shown.dispose()
  }
}

/** Indices of images: the first of each class, then the second of each, up to `count`. */
function inTurn({ labels }: Split, count: number): readonly number[] {
  const seen = new Map<number, number>()
  return Array.from(labels, (label, index) => {
    const round = seen.get(label) ?? 0
    seen.set(label, round + 1)
    return { index, label, round }
  })
    .sort((a, b) => a.round - b.round || a.label - b.label)
    .slice(0, count)
    .map(({ index }) => index)
}

async function firstOf(batches: AsyncIterable<Batch>): Promise<Batch> {
  for await (const batch of batches) return batch
  throw new Failure('the split has no images')
}
