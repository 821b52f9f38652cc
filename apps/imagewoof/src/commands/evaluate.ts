import type { Command } from 'commander'
import { evaluate } from '../evaluation/evaluate.ts'
import { percent, whole } from '../report/numbers.ts'
import type { Which } from '../run/run-folder.ts'
import { openTrained } from '../training/trained.ts'
import { checkpointOption } from './checkpoint-option.ts'
import { movedOption } from './moved-option.ts'
import { interruptibly } from './surface.ts'

interface Options {
  readonly checkpoint: Which
  readonly data?: string
  readonly json?: true
}

/** Adds `evaluate`: a checkpoint on all validation pictures. */
export function addEvaluate(program: Command): void {
  program
    .command('evaluate')
    .description('judge a checkpoint on all validation pictures')
    .argument('<run>', 'the run folder')
    .addOption(checkpointOption())
    .addOption(movedOption())
    .option('--json', 'print JSON, with a prediction for each picture')
    .action(async (path: string, options: Options) => {
      await interruptibly(
        async (surface) => {
          const session = await openTrained(path, options.checkpoint, surface, options.data)
          try {
            const { engine, loader, dataset } = session
            const { classes, validation } = dataset
            const found = await evaluate(engine, loader, classes.length, surface)
            if (!found) return
            const { loss, top1, top5, predictions } = found
            const named = predictions.map(({ label, predicted, probability }, i) => ({
              file: validation.files[i],
              actual: classes[label],
              predicted: classes[predicted],
              probability,
            }))
            console.log(
              options.json
                ? JSON.stringify({ loss, top1, top5, predictions: named }, undefined, 1)
                : `top-1 ${percent(top1, 2)}, top-5 ${percent(top5, 2)}, loss ${loss.toFixed(4)} on ${whole(predictions.length)} validation pictures`,
            )
          } finally {
            await session.close()
          }
        },
        { screen: process.stderr },
      )
    })
}
