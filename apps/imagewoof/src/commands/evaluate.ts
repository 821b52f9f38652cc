import type { Command } from 'commander'
import { evaluate } from '../evaluation/evaluate.ts'
import { accuracyInterval, balancedAccuracy, classMetrics } from '../evaluation/metrics.ts'
import { confusionMatrix } from '../evaluation/summary.ts'
import { formatCount, formatInterval, formatPercent } from '../format.ts'
import type { ProviderChoice } from '../provider.ts'
import { RankGroup } from '../rank-group.ts'
import { type CheckpointKind, RunFolder } from '../run/run-folder.ts'
import { runInterruptibly } from '../terminal/context.ts'
import { loadRun } from '../training/load-run.ts'
import { checkpointOption, dataPathOption, providerOption, withProvider } from './command-line.ts'

interface EvaluateOptions {
  readonly checkpoint: CheckpointKind
  readonly data?: string
  readonly json?: true
  readonly provider?: ProviderChoice
}

/** Adds `evaluate`: evaluates a checkpoint on all validation images. */
export function addEvaluate(program: Command): void {
  program
    .command('evaluate')
    .description('evaluate a checkpoint on all validation images')
    .argument('<run>', 'run folder')
    .addOption(checkpointOption())
    .addOption(dataPathOption())
    .addOption(providerOption())
    .option('--json', 'print JSON, with a prediction for each image')
    .action((path: string, options: EvaluateOptions) =>
      runInterruptibly(
        async (interruptible) => {
          const { engine } = await (await RunFolder.open(path)).config()
          const request = { choice: options.provider, engines: [engine] }
          const context = withProvider(interruptible, request)
          const session = await loadRun(path, options.checkpoint, context, options.data)
          try {
            const { engine, loader, dataset } = session
            const { classes, validation } = dataset
            const { batch } = session.config
            const ranks = new RankGroup(context.signal)
            const evaluation = await evaluate(engine, loader, dataset, { batch, ranks })
            if (!evaluation) return
            const { loss, top1, top5 } = evaluation
            const { length } = evaluation.predictions
            const metrics = classMetrics(
              confusionMatrix(evaluation.predictions, classes.length),
              classes,
            )
            const balanced = balancedAccuracy(metrics)
            const interval = accuracyInterval(top1, length)
            const predictions = evaluation.predictions.map(
              ({ label, predicted, probability }, i) => ({
                file: validation.files[i],
                actual: classes[label],
                predicted: classes[predicted],
                probability,
              }),
            )
            console.log(
              options.json
                ? JSON.stringify(
                    {
                      ...{ loss, top1, top1Interval: interval, top5, balancedAccuracy: balanced },
                      classes: metrics,
                      predictions,
                    },
                    // Ratios without a denominator are null, so that every class has all keys.
                    (_, value) => value ?? null,
                    1,
                  )
                : `top-1 ${formatPercent(top1, 2)} (95 % interval ${formatInterval(interval)}), balanced accuracy ${formatPercent(balanced, 2)}, top-5 ${formatPercent(top5, 2)}, loss ${loss.toFixed(4)} on ${formatCount(length)} validation images`,
            )
          } finally {
            await session.close()
          }
        },
        { screen: process.stderr },
      ),
    )
}
