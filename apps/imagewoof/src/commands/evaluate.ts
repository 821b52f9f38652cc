import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { positiveInteger } from '@diffgrad/core'
import type { Command } from 'commander'
import { evaluate } from '../evaluation/evaluate.ts'
import { accuracyInterval, balancedAccuracy, classMetrics } from '../evaluation/metrics.ts'
import { confusionMatrix } from '../evaluation/summary.ts'
import { messageOf } from '../failure.ts'
import { formatCount, formatInterval, formatPercent } from '../format.ts'
import { type ClassProbability, openClassifier } from '../model/classifier.ts'
import { type CheckpointKind, exists, modifiedAt, RunFolder } from '../run/run-folder.ts'
import { runInterruptibly } from '../terminal/context.ts'
import { exportPath, exportRun, loadRun } from '../training/load-run.ts'
import { checkpointOption, dataPathOption, numberIn } from './command-line.ts'

interface EvaluateOptions {
  readonly checkpoint: CheckpointKind
  readonly data?: string
  readonly json?: true
}

/** Adds `evaluate`: evaluates a checkpoint on all validation images. */
export function addEvaluate(program: Command): void {
  program
    .command('evaluate')
    .description('evaluate a checkpoint on all validation images')
    .argument('<run>', 'run folder')
    .addOption(checkpointOption())
    .addOption(dataPathOption())
    .option('--json', 'print JSON, with a prediction for each image')
    .action((path: string, options: EvaluateOptions) =>
      runInterruptibly(
        async (context) => {
          const session = await loadRun(path, options.checkpoint, context, options.data)
          try {
            const { engine, loader, dataset } = session
            const { classes, validation } = dataset
            const evaluation = await evaluate(engine, loader, classes.length, context)
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

interface PredictOptions {
  readonly top: number
  readonly json?: true
}

/** Adds `predict`: classifies image files with the pipeline of transformers.js. */
export function addPredict(program: Command): void {
  program
    .command('predict')
    .description('classify image files')
    .argument('<model>', 'run folder, or transformers.js folder')
    .argument('<images...>', 'image files')
    .option('--top <count>', 'number of classes to print', numberIn(positiveInteger), 5)
    .option('--json', 'print JSON')
    .action(async (model: string, images: readonly string[], { top, json }: PredictOptions) => {
      const folder = await modelFolder(model)
      const classifier = await openClassifier(folder.path).finally(folder.remove)
      try {
        const results = []
        for (const image of images)
          try {
            const classes = await classifier.classify(image, top)
            results.push({ image, classes })
            if (!json) printClasses(image, classes)
          } catch (error) {
            process.exitCode = 1 // The other images are still classified.
            console.error(`error: ${messageOf(error)}`)
          }
        if (json) console.log(JSON.stringify(results, undefined, 1))
      } finally {
        await classifier.dispose()
      }
    })
}

function printClasses(image: string, classes: readonly ClassProbability[]): void {
  console.log(image)
  for (const { label, probability } of classes)
    console.log(`  ${formatPercent(probability).padStart(7)}  ${label}`)
}

interface ModelFolder {
  readonly path: string
  /** Deletes it if it is temporary. */
  remove(): Promise<void>
}

/**
 * The transformers.js folder of a model. A run is exported unless its export is up to date; while another
 * process owns the run, to a temporary folder.
 */
async function modelFolder(model: string): Promise<ModelFolder> {
  const keep = async (): Promise<void> => {}
  const run = await RunFolder.find(model)
  if (!run || !(await exists(run.pathOf('environment.json')))) return { path: model, remove: keep }
  const path = exportPath(model, 'best')
  const saved = await modifiedAt(run.pathOf('best.safetensors'))
  const exported = await modifiedAt(join(path, 'onnx', 'model.onnx'))
  if (exported > saved) return { path, remove: keep }
  if (!(await run.isOwnedByOther())) return { path: await exportRun(model, 'best'), remove: keep }
  const temporary = await mkdtemp(join(tmpdir(), 'imagewoof-'))
  const remove = (): Promise<void> => rm(temporary, { recursive: true, force: true })
  try {
    return { path: await exportRun(model, 'best', join(temporary, 'export')), remove }
  } catch (error) {
    await remove()
    throw error
  }
}
