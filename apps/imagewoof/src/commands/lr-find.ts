import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { positive, positiveInteger } from '@diffgrad/core'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import type { Command } from 'commander'
import { stringify } from 'csv-stringify/sync'
import { resolveConfig } from '../config/config.ts'
import { addConfigOptions, givenOf, spelled } from '../config/options.ts'
import { Failure } from '../failure.ts'
import { type Range, rangeTest } from '../lr-find/range-test.ts'
import { suggestion } from '../lr-find/suggestion.ts'
import { rangeReport } from '../report/lr-report.ts'
import { exists } from '../run/run-folder.ts'
import { rateText } from '../training/progress.ts'
import { commandLine } from './command-line.ts'
import { freshFolder } from './fresh-folder.ts'
import { numeric } from './numeric.ts'
import { interruptibly } from './surface.ts'

const rate = numeric(positive)

/** Settings that a range test has no use for. */
const without = ['learningRate', 'schedule', 'flat', 'epochs', 'saveEvery', 'accumulate', 'ema']

/** Adds `lr-find`: a range test. */
export function addLrFind(program: Command): void {
  const command = program
    .command('lr-find')
    .description('find a learning rate: raise it step by step, and look at the loss')
    .option('--from <rate>', 'the first learning rate', rate, 1e-5)
    .option('--to <rate>', 'the last learning rate', rate, 1)
    .option('--steps <count>', 'how many steps', numeric(positiveInteger), 100)
    .option('--out <folder>', 'where to (default: a new folder in runs/)')
  addConfigOptions(command, without).action(
    async ({ from, to, steps, out, ...options }: Range & { readonly out?: string }) => {
      if (to <= from) throw new Failure(`--to must be above --from, ${from}, but is ${to}`)
      if (steps < 10) throw new Failure(`--steps must be at least 10, but is ${steps}`)
      const path = out ?? freshFolder('lr-find')
      if (await exists(path))
        throw new Failure(`folder ${path}: is there already; choose another --out`)
      const given = givenOf(options)
      const config = resolveConfig(given)
      const range = { from, to, steps }
      await interruptibly(async (surface) => {
        const trials = await rangeTest(config, range, surface)
        const suggested = suggestion(trials)
        await mkdir(path, { recursive: true })
        const report = join(path, 'report.html')
        await replaceFile(
          join(path, 'losses.csv'),
          Buffer.from(stringify([...trials], { header: true })),
        )
        await replaceFile(report, Buffer.from(rangeReport(config, range, trials, suggested)))
        if (suggested === undefined) console.log('The loss never fell; try a lower --from.')
        else {
          const text = rateText(suggested)
          console.log(`suggested  --learning-rate ${text}`)
          const line = commandLine('train', ...spelled({ ...given, learningRate: text }))
          console.log(`to train   ${line}`)
        }
        console.log(`report     ${report}`)
      })
    },
  )
}
