import { join } from 'node:path'
import { evaluate } from '../src/evaluation/evaluate.ts'
import { openClassifier } from '../src/model/classifier.ts'
import { Screen } from '../src/terminal/screen.ts'
import { exportRun, loadRun } from '../src/training/load-run.ts'

// Compares the pipeline of transformers.js with `evaluate`, on the image files of the validation split:
// `pnpm --filter imagewoof agreement <run> <folder of the images> [count]`.
const [run, folder, count = '100'] = process.argv.slice(2)
const context = { screen: new Screen(process.stdout), signal: new AbortController().signal }
const { engine, loader, dataset, close } = await loadRun(run, 'best', context)
const { predictions } = (await evaluate(engine, loader, dataset.classes.length)) ?? {}
await close()
if (!predictions) throw new Error('the evaluation was interrupted')

const classifier = await openClassifier(await exportRun(run, 'best'))
// Evenly spaced in the split, which is sorted by class.
const interval = predictions.length / Number(count)
let [same, maxDifference] = [0, 0]
for (let i = 0; i < Number(count); i++) {
  const index = Math.floor(i * interval)
  const { predicted, probability } = predictions[index]
  const file = dataset.validation.files[index]
  const [best] = await classifier.classify(join(folder, file), 1)
  maxDifference = Math.max(maxDifference, Math.abs(best.probability - probability))
  if (best.label === dataset.classes[predicted]) same++
  else
    console.log(
      `${file}: ${dataset.classes[predicted]} ${probability.toFixed(3)}, pipeline ${best.label} ${best.probability.toFixed(3)}`,
    )
}
await classifier.dispose()
console.log(
  `${same} of ${count} images have the same top-1 class; probabilities differ by at most ${maxDifference.toExponential(1)}`,
)
