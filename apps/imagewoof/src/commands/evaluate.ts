import { join } from 'node:path'
import { positiveInteger } from '@diffgrad/core'
import type { Command } from 'commander'
import { evaluate } from '../evaluation/evaluate.ts'
import { messageOf } from '../failure.ts'
import { formatCount, formatPercent } from '../format.ts'
import { type ClassProbability, openClassifier } from '../model/classifier.ts'
import { type CheckpointKind, exists, modifiedAt } from '../run/run-folder.ts'
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
                ? JSON.stringify({ loss, top1, top5, predictions }, undefined, 1)
                : `top-1 ${formatPercent(top1, 2)}, top-5 ${formatPercent(top5, 2)}, loss ${loss.toFixed(4)} on ${formatCount(predictions.length)} validation images`,
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
      const classifier = await openClassifier(await modelFolder(model))
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

/** The transformers.js folder of a model. A run is exported unless its export is up to date. */
async function modelFolder(model: string): Promise<string> {
  const isRun = await exists(join(model, 'environment.json'))
  if (!isRun) return model
  const path = exportPath(model, 'best')
  const saved = await modifiedAt(join(model, 'best.safetensors'))
  const exported = await modifiedAt(join(path, 'onnx', 'model.onnx'))
  return exported > saved ? path : exportRun(model, 'best')
}
