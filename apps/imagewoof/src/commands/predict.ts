import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { openClassifier } from '../export/classifier.ts'
import { exportRun } from '../export/export-run.ts'
import { percent } from '../report/numbers.ts'
import { counted } from './counted.ts'

/** Adds `predict`: what photographs show, by the pipeline of transformers.js. */
export function addPredict(program: Command): void {
  program
    .command('predict')
    .description('say what photographs show')
    .argument('<model>', 'a run folder, or a folder in the form of transformers.js')
    .argument('<images...>', 'photographs')
    .option('--top <count>', 'how many classes', counted, 5)
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
            found.push({ image, classes: await classifier.classify(image, top) })
          if (json) console.log(JSON.stringify(found, undefined, 1))
          else for (const { image, classes } of found) print(image, classes)
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
  const path = join(model, 'export')
  const [saved, exported] = [
    await changed(join(model, 'best.safetensors')),
    await changed(join(path, 'onnx', 'model.onnx')),
  ]
  if (exported > saved) return path
  return saved > 0 ? exportRun(model, 'best') : model
}

/** When a file was changed, in milliseconds; 0 if it is not there. */
const changed = (path: string): Promise<number> =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  )
