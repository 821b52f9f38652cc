import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { positive, positiveInteger } from '@diffgrad/core'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import type { Command } from 'commander'
import { stringify } from 'csv-stringify/sync'
import { resolveConfig, tuneStages } from '../config/config.ts'
import { addConfigOptions, argumentsFor, pickSettings } from '../config/options.ts'
import { Failure } from '../failure.ts'
import { formatRate } from '../format.ts'
import { type RangeTestOptions, rangeTest, suggestLearningRates } from '../lr-find/range-test.ts'
import { checkBackbone } from '../model/backbone.ts'
import type { ProviderChoice } from '../provider.ts'
import { exists, requireNewFolder } from '../run/run-folder.ts'
import { runInterruptibly } from '../terminal/context.ts'
import {
  commandLine,
  newFolderPath,
  numberIn,
  providerOption,
  withoutArguments,
  withProvider,
} from './command-line.ts'

/** Settings without effect on a range test. */
const excluded = [
  ...['learningRate', 'schedule', 'flat', 'warmup', 'epochs', 'patience', 'saveEvery'],
  ...['accumulate', 'ema', 'emaWarmup', 'from', 'checkpoint'],
]

interface LrFindOptions extends RangeTestOptions {
  readonly out?: string
  readonly provider?: ProviderChoice
}

/** Adds `lr-find`: a learning-rate range test. */
export function addLrFind(program: Command): void {
  const command = program
    .command('lr-find')
    .description('find a learning rate: raise it step by step, and plot the loss')
    .option('--from <rate>', 'first learning rate', numberIn(positive), 1e-5)
    .option('--to <rate>', 'last learning rate', numberIn(positive), 1)
    .option('--steps <count>', 'number of steps', numberIn(positiveInteger), 100)
    .option('--out <folder>', 'output folder (default: a new one in runs/)')
    .addOption(providerOption())
  addConfigOptions(withoutArguments(command), excluded).action(
    async ({ from, to, steps, out, provider: choice, ...options }: LrFindOptions) => {
      if (to <= from) throw new Failure(`--to must be above --from, ${from}, but is ${to}`)
      if (steps < 10) throw new Failure(`--steps must be at least 10, but is ${steps}`)
      const path = out ?? newFolderPath('lr-find')
      if (await exists(path))
        throw new Failure(`folder ${path}: already exists; choose another --out`)
      await requireNewFolder(path, 'folder')
      const settings = pickSettings(options)
      const config = resolveConfig(settings)
      await checkBackbone(config)
      if (tuneStages(config).length > 1)
        throw new Failure(`--tune must be head or all for a range test, but is ${config.tune}`)
      const range = { from, to, steps }
      await runInterruptibly(async (interruptible) => {
        const context = withProvider(interruptible, { choice, engines: [config.engine] })
        const trials = await rangeTest(config, range, context)
        const suggestions = suggestLearningRates(trials)
        const { rangeTestReport } = await import('../lr-find/report.ts') // Charts load slowly.
        await mkdir(path, { recursive: true })
        const table = Buffer.from(stringify([...trials], { header: true }))
        await replaceFile(join(path, 'losses.csv'), table)
        const report = join(path, 'report.html')
        await replaceFile(report, Buffer.from(rangeTestReport(config, range, trials, suggestions)))
        for (const [i, { name, rate, rule }] of suggestions.entries()) {
          const word = i === 0 ? 'suggested' : 'or'
          console.log(`${word.padEnd(9)}  --learning-rate ${formatRate(rate)}  (${name}: ${rule})`)
        }
        if (suggestions.length === 0) console.log('The loss never fell; try a lower --from.')
        else {
          const learningRate = formatRate(suggestions[0].rate)
          const train = commandLine(
            'train',
            ...argumentsFor({ ...settings, learningRate }),
            ...(choice === undefined ? [] : ['--provider', choice]),
          )
          console.log(`to train   ${train}`)
        }
        console.log(`report     ${report}`)
      })
    },
  )
}
