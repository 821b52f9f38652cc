import { join } from 'node:path'
import { evaluate } from '../src/evaluation/evaluate.ts'
import { openClassifier } from '../src/export/classifier.ts'
import { exportRun } from '../src/export/export-run.ts'
import { openTrained } from '../src/training/trained.ts'

// Whether the pipeline of transformers.js sees in photographs what `evaluate` sees:
// `pnpm --filter imagewoof agreement <run> <folder of the photographs> [count]`.
const [run, photographs, count = '100'] = process.argv.slice(2)
const surface = { screen: process.stdout, signal: new AbortController().signal }
const { engine, loader, dataset, close } = await openTrained(run, 'best', surface)
const { predictions } = (await evaluate(engine, loader, dataset.classes.length)) ?? {}
await close()
if (!predictions) throw new Error('the evaluation was interrupted')

const classifier = await openClassifier(await exportRun(run, 'best'))
// Evenly over the split, and so over its classes.
const every = predictions.length / Number(count)
let [same, farthest] = [0, 0]
for (let i = 0; i < Number(count); i++) {
  const place = Math.floor(i * every)
  const { predicted, probability } = predictions[place]
  const file = dataset.validation.files[place]
  const [guess] = await classifier.classify(join(photographs, file), 1)
  farthest = Math.max(farthest, Math.abs(guess.probability - probability))
  if (guess.label === dataset.classes[predicted]) same++
  else
    console.log(
      `${file}: ${dataset.classes[predicted]} ${probability.toFixed(3)}, pipeline ${guess.label} ${guess.probability.toFixed(3)}`,
    )
}
await classifier.dispose()
console.log(
  `${same} of ${count} photographs have the same top-1; probabilities differ by at most ${farthest.toExponential(1)}`,
)
