import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { positiveInteger } from '@diffgrad/core'
import type { Command } from 'commander'
import { openClassifier } from '../export/classifier.ts'
import { exportPath, exportRun } from '../export/export-run.ts'
import { messageOf } from '../failure.ts'
import { percent } from '../report/numbers.ts'
import { exists } from '../run/run-folder.ts'
import { numeric } from './numeric.ts'

/** Adds `predict`: what photographs show, by the pipeline of transformers.js. */
export function addPredict(program: Command): void {
  program
    .command('predict')
    .description('say what photographs show')
    .argument('<model>', 'a run folder, or a folder in the form of transformers.js')
    .argument('<images...>', 'photographs')
    .option('--top <count>', 'how many classes', numeric(positiveInteger), 5)
    .option('--json', 'print JSON')
    .action(
      async (
        model: string,
        images: readonly string[],
        { top, json }: { readonly top: number; readonly json?: true },
      ) => {
        const classifier = await openClassifier(await folderOf(model))
        try {
          const found = []
          for (const image of images)
            try {
              const classes = await classifier.classify(image, top)
              found.push({ image, classes })
              if (!json) print(image, classes)
            } catch (error) {
              process.exitCode = 1 // The others are looked at all the same.
              console.error(`error: ${messageOf(error)}`)
            }
          if (json) console.log(JSON.stringify(found, undefined, 1))
        } finally {
          await classifier.dispose()
        }
      },
    )
}

function print(image: string, classes: readonly { label: string; probability: number }[]): void {
  console.log(image)
  for (const { label, probability } of classes)
    console.log(`  ${percent(probability).padStart(7)}  ${label}`)
}

/** A run is exported first, unless that was done since its best weights were saved. */
async function folderOf(model: string): Promise<string> {
  if (!(await exists(join(model, 'environment.json')))) return model // No run, then.
  const path = exportPath(model, 'best')
  const [saved, exported] = [
    await changed(join(model, 'best.safetensors')),
    await changed(join(path, 'onnx', 'model.onnx')),
  ]
  return exported > saved ? path : exportRun(model, 'best')
}

/** When a file was changed, in milliseconds; 0 if it is not there. */
const changed = (path: string): Promise<number> =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  )
