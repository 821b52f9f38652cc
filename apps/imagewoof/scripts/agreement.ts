import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { readModel, writeModel } from '@diffgrad/onnx'
import { launchChromium } from '@diffgrad/testing/chromium'
import { env, pipeline } from '@xenova/transformers'
import { imageNetStatistics } from '../src/data/batch.ts'
import { evaluate } from '../src/evaluation/evaluate.ts'
import { withoutPreprocessing } from '../src/model/preprocessing.ts'
import { RankGroup } from '../src/rank-group.ts'
import { Screen } from '../src/terminal/screen.ts'
import { exportRun, loadRun } from '../src/training/load-run.ts'
import { type Best, openExportedPage, openPipelines } from '../test/chromium.ts'

// Compares an exported folder with `evaluate`, on the image files of the validation split, in Node and in
// Chromium: `pnpm --filter imagewoof agreement <run> <folder of the images> [count]`. For comparison, the
// same network is exported without its preprocessing, which transformers.js then does.
const [run, folder, count = '100'] = process.argv.slice(2)
const { signal } = new AbortController()
const ranks = new RankGroup(signal)
const context = { screen: new Screen(process.stderr), signal, ranks }
const { engine, loader, dataset, config, close } = await loadRun(run, 'best', context)
const { predictions } =
  (await evaluate(engine, loader, dataset, { batch: config.batch, ranks })) ?? {}
await close()
if (!predictions) throw new Error('the evaluation was interrupted')

// Evenly spaced in the split, which is sorted by class.
const interval = predictions.length / Number(count)
const chosen = Array.from({ length: Number(count) }, (_, i) => Math.floor(i * interval))
const files = chosen.map((i) => dataset.validation.files[i])
const expected = chosen.map((i) => predictions[i])

const exported = resolve(await exportRun(run, 'best'))
const conventional = await exportConventionally(exported)
const models = { exported, conventional }
env.allowRemoteModels = false
env.useFSCache = false

const right = expected.filter(({ label, predicted }) => label === predicted).length
console.log(`${'evaluate'.padEnd(58)} ${right} of ${count} right`)
for (const [name, path] of Object.entries({ conventional, exported })) {
  const classify = await pipeline('image-classification', path, { dtype: 'fp32' })
  report(
    `${titleOf(name)}, Node`,
    await bestOf(async (file) => {
      const [best] = [await classify(join(folder, file), { top_k: 1 })].flat(2)
      return [best.label, best.score]
    }),
  )
  await classify.dispose()
}
const chromium = await launchChromium()
const classify = await openPipelines(chromium, models, resolve(folder))
for (const name of ['conventional', 'exported'])
  report(`${titleOf(name)}, Chromium`, await bestOf((file) => classify(name, file)))
const { page, shown } = await openExportedPage(chromium, exported)
await page.setInputFiles(
  'input',
  files.map((file) => join(folder, file)),
)
report(
  'index.html, Chromium, from a file',
  (await shown(files.length)).map(
    ({ labels, percentages }): Best => [labels[0], percentages[0] / 100],
  ),
)
await chromium.close()
await rm(conventional, { recursive: true })

function titleOf(name: string): string {
  return name === 'exported'
    ? 'pipeline, as exported'
    : 'pipeline, preprocessing by transformers.js'
}

async function bestOf(classifyFile: (file: string) => Promise<Best>): Promise<readonly Best[]> {
  const best: Best[] = []
  for (const file of files) best.push(await classifyFile(file))
  return best
}

/** Prints how many images have the class that `evaluate` predicts. */
function report(title: string, found: readonly Best[]): void {
  let [same, correct, largest] = [0, 0, 0]
  for (const [i, [label, probability]] of found.entries()) {
    const { predicted, label: actual, probability: own } = expected[i]
    if (label === dataset.classes[predicted]) {
      same++
      largest = Math.max(largest, Math.abs(probability - own))
    }
    if (label === dataset.classes[actual]) correct++
  }
  console.log(
    `${title.padEnd(58)} ${correct} of ${count} right, the same top-1 class for ${same}; probabilities of these within ${largest.toExponential(1)}`,
  )
}

/** Writes the network alone, with a preprocessor_config.json as vision models have it. */
async function exportConventionally(path: string): Promise<string> {
  const target = `${path}-without-preprocessing`
  const network = withoutPreprocessing(readModel(await readFile(join(path, 'onnx', 'model.onnx'))))
  if (!network) throw new Error(`${path} has no preprocessing`)
  const size = Number(network.inputs[0].shape?.[2])
  await mkdir(join(target, 'onnx'), { recursive: true })
  await writeFile(join(target, 'config.json'), await readFile(join(path, 'config.json')))
  await writeFile(join(target, 'onnx', 'model.onnx'), writeModel(network))
  await writeFile(
    join(target, 'preprocessor_config.json'),
    JSON.stringify({
      image_processor_type: 'ViTImageProcessor',
      size: { shortest_edge: Math.floor(size / 0.875) },
      resample: 1,
      do_center_crop: true,
      crop_size: { width: size, height: size },
      do_normalize: true,
      image_mean: imageNetStatistics.mean,
      image_std: imageNetStatistics.deviation,
    }),
  )
  return target
}
