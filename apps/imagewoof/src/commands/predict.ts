import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { positiveInteger } from '@diffgrad/core'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import { type Command, Option } from 'commander'
import { stringify } from 'csv-stringify/sync'
import { countReasons, describeFolder, filesIn, hasImageName, readTree } from '../data/tree.ts'
import { Failure, messageOf } from '../failure.ts'
import { formatCount, formatPercent } from '../format.ts'
import { type Classifier, type ClassProbability, openClassifier } from '../model/classifier.ts'
import type { ProviderChoice } from '../provider.ts'
import { exists, modifiedAt, RunFolder } from '../run/run-folder.ts'
import { type CommandContext, runInterruptibly } from '../terminal/context.ts'
import { exportPath, exportRun } from '../training/load-run.ts'
import { numberIn, providerOption, withProvider } from './command-line.ts'

interface PredictOptions {
  readonly top: number
  readonly json?: true
  readonly csv?: true
  readonly out?: string
  readonly provider?: ProviderChoice
}

/** Adds `predict`: classifies image files, and those in folders, with the pipeline of transformers.js. */
export function addPredict(program: Command): void {
  program
    .command('predict')
    .description('classify image files, and all images in folders')
    .argument('<model>', 'run folder, or transformers.js folder')
    .argument('<images...>', 'image files, or folders of them')
    .option('--top <count>', 'number of classes for each image', numberIn(positiveInteger), 5)
    .option('--csv', 'print CSV: file, class, probability, further classes, error')
    .addOption(new Option('--json', 'print JSON').conflicts('csv'))
    .option('--out <file>', 'write CSV, or JSON with --json, to a new file')
    .addOption(providerOption())
    .action((model: string, images: readonly string[], options: PredictOptions) =>
      runInterruptibly((context) => predict(model, images, options, context), {
        screen: process.stderr,
      }),
    )
}

async function predict(
  model: string,
  images: readonly string[],
  { top, json, csv, out, provider: choice }: PredictOptions,
  interruptible: CommandContext,
): Promise<void> {
  if (out !== undefined && (await exists(out)))
    throw new Failure(`${out}: already exists; choose another --out`)
  // The pipeline of transformers.js runs on ONNX Runtime, whatever trained the model.
  const context = withProvider(interruptible, { choice, engines: ['onnxruntime'] })
  const files = (await Promise.all(images.map((path) => imageFiles(path, context)))).flat()
  const folder = await modelFolder(model)
  const classifier = await openClassifier(folder.path, context.provider).finally(folder.remove)
  try {
    const columns = Math.min(top, classifier.classes)
    const isTable = !json && (csv === true || out !== undefined)
    const rows: string[] = []
    const addRow = (row: string): void => {
      if (out === undefined) process.stdout.write(row)
      else rows.push(row)
    }
    if (isTable) addRow(csvHeader(columns))
    const classified: Prediction[] = []
    let failed = 0
    for await (const prediction of predictions(classifier, files, top, context.signal)) {
      const { file, classes, error } = prediction
      if (error !== undefined) {
        failed++
        process.exitCode = 1 // The other images are still classified.
        if (!isTable) context.screen.write(`error: ${file}: ${error}`)
      } else classified.push(prediction)
      if (isTable) addRow(csvRow(prediction, columns))
      else if (!json && classes) printClasses(file, classes)
      if (out !== undefined) showProgress(context, classified.length + failed, files.length)
    }
    if (context.signal.aborted) {
      if (out !== undefined) context.screen.write(`${out} was not written`)
      return
    }
    const text = json ? jsonText(classified) : rows.join('')
    if (out !== undefined) await replaceFile(out, Buffer.from(text))
    else if (json) process.stdout.write(text)
    if (isTable && failed > 0)
      context.screen.write(
        `error: ${formatCount(failed)} of ${formatCount(files.length)} files cannot be classified`,
      )
    if (out !== undefined)
      console.log(`predictions  ${out} (${formatCount(classified.length)} images)`)
  } finally {
    await classifier.dispose()
  }
}

/** The files that an argument names: itself, or the images in a folder and in all folders in it. */
async function imageFiles(path: string, { screen }: CommandContext): Promise<readonly string[]> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false, // An error is a row of the result.
  )
  if (!isFolder) return [path]
  const { top, skipped } = await readTree(path)
  const files = filesIn(top)
  // Links to nothing and unreadable folders are rows with an error.
  const unreadable = skipped.filter(({ reason }) => /^dangling|^cannot be read/.test(reason))
  const other = files.filter((file) => !hasImageName(file))
  const named = other.map((file) => ({ file, reason: 'not the name of an image' }))
  const leftOut = [...skipped.filter((entry) => !unreadable.includes(entry)), ...named]
  const images = [...files.filter(hasImageName), ...unreadable.map(({ file }) => file)].toSorted()
  if (images.length === 0) throw new Failure(`${path}: holds no images; ${describeFolder(top)}`)
  if (leftOut.length > 0)
    screen.write(`${path}: ${formatCount(leftOut.length)} left out: ${countReasons(leftOut)}`)
  return images.map((file) => join(path, file))
}

/** The classes of an image, by descending probability, or why it has none. */
interface Prediction {
  readonly file: string
  readonly classes?: readonly ClassProbability[]
  readonly error?: string
}

/** Images that are decoded, in other threads, while one is classified. */
const decodedAhead = 4

/** Classifies files in their order. Ends early if the signal aborts. */
async function* predictions(
  classifier: Classifier,
  files: readonly string[],
  top: number,
  signal: AbortSignal,
): AsyncGenerator<Prediction> {
  const decode = async (file: string): Promise<() => Promise<Prediction>> => {
    try {
      const picture = await classifier.read(file)
      return async () => ({ file, classes: await classifier.classify(picture, top) })
    } catch (error) {
      return async () => ({ file, error: messageOf(error) })
    }
  }
  const pending: Promise<() => Promise<Prediction>>[] = []
  const rest = files.values()
  while (!signal.aborted) {
    while (pending.length < decodedAhead) {
      const { value, done } = rest.next()
      if (done) break
      pending.push(decode(value))
    }
    const next = pending.shift()
    if (!next) return
    yield await (await next)()
    // The pipeline may block the event loop, so yield once to let signals arrive.
    await new Promise(setImmediate)
  }
}

/** The names of the columns of a table with so many classes, as CSV. */
function csvHeader(classes: number): string {
  const further = Array.from({ length: classes - 1 }, (_, i) => [
    `class_${i + 2}`,
    `probability_${i + 2}`,
  ])
  return stringify([['file', 'class', 'probability', ...further.flat(), 'error']])
}

/** A row of a table with so many classes, as CSV. */
function csvRow({ file, classes: found, error = '' }: Prediction, classes: number): string {
  const cells = Array.from({ length: classes }, (_, i) =>
    found?.[i] ? [found[i].label, found[i].probability.toFixed(6)] : ['', ''],
  )
  return stringify([[file, ...cells.flat(), error]])
}

const jsonText = (classified: readonly Prediction[]): string =>
  `${JSON.stringify(
    classified.map(({ file, classes }) => ({ image: file, classes })),
    undefined,
    1,
  )}\n`

function printClasses(file: string, classes: readonly ClassProbability[]): void {
  console.log(file)
  for (const { label, probability } of classes)
    console.log(`  ${formatPercent(probability).padStart(7)}  ${label}`)
}

function showProgress({ screen }: CommandContext, done: number, total: number): void {
  const details = [`${formatCount(done)} of ${formatCount(total)} images`]
  screen.show({ task: 'classifying', done, total, details })
}

interface ModelFolder {
  readonly path: string
  /** Deletes it if it is temporary. */
  remove(): Promise<void>
}

/**
 * The transformers.js folder of a model. A run is exported unless its export is up to date; while another
 * process owns the run, to a temporary folder.
 *
 * @throws {Failure} If the path is no model, or the run has no checkpoint.
 */
async function modelFolder(model: string): Promise<ModelFolder> {
  const keep = async (): Promise<void> => {}
  if (!(await exists(model))) throw new Failure(`${model}: there is no such folder`)
  if (await exists(join(model, 'compare.json')))
    throw new Failure(`${model}: is a comparison; name one of its runs, in ${join(model, 'runs')}`)
  const run = await RunFolder.find(model)
  if (!run) throw new Failure(`${model}: is neither a run nor an export; it has no config.json`)
  if (!(await exists(run.pathOf('environment.json')))) return { path: model, remove: keep }
  const path = exportPath(model, 'best')
  const saved = await modifiedAt(run.pathOf('best.safetensors'))
  const exported = await modifiedAt(join(path, 'onnx', 'model.onnx'))
  if (exported > saved) return { path, remove: keep }
  if ((await run.otherOwner()) === undefined)
    return { path: await exportRun(model, 'best'), remove: keep }
  const temporary = await mkdtemp(join(tmpdir(), 'imagewoof-'))
  const remove = (): Promise<void> => rm(temporary, { recursive: true, force: true })
  try {
    return { path: await exportRun(model, 'best', join(temporary, 'export')), remove }
  } catch (error) {
    await remove()
    throw error
  }
}
