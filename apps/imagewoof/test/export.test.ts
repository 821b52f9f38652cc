import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromiumPath, chromiumTitle, launchChromium, openPage } from '@diffgrad/testing/chromium'
import { expectClose } from '@diffgrad/testing/tolerance'
import { build } from 'esbuild'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { fileFolder, run, tinyNetwork } from './command.ts'
import { writePatterns } from './images.ts'
import { serve } from './server.ts'

const folder = fileFolder()
const cache = join(folder, 'cache')
const data = join(folder, 'images')
const trained = join(folder, 'run')

/** A prediction of `evaluate --json`. */
interface Prediction {
  readonly file: string
  readonly predicted: string
  readonly probability: number
}
let predictions: readonly Prediction[] = []

beforeAll(async () => {
  await writePatterns(data)
  const options = ['--epochs', '3', '--learning-rate', '0.01']
  const { errors } = await run(
    ['train', '--data', data, '--out', trained, ...tinyNetwork, ...options],
    cache,
  )
  expect(errors).toBe('')
  const { output } = await run(['evaluate', trained, '--json'], cache)
  predictions = JSON.parse(output).predictions
})

test('the pipeline of transformers.js predicts what evaluate predicts', async () => {
  expect(predictions).toHaveLength(30)
  expect(new Set(predictions.map(({ predicted }) => predicted)).size).toBeGreaterThan(1)
  const files = predictions.map(({ file }) => join(data, file))
  const { code, output } = await run(['predict', trained, ...files, '--json', '--top', '1'], cache)
  expect(code).toBe(0)
  const found: readonly { classes: readonly { label: string; probability: number }[] }[] =
    JSON.parse(output)
  for (const [i, { classes }] of found.entries()) {
    expect(classes[0].label).toBe(predictions[i].predicted)
    expectClose(classes[0].probability, predictions[i].probability, { relative: 1e-3 })
  }
})

test('predict prints the classes of the data by descending probability', async () => {
  const image = join(data, predictions[0].file)
  const { output } = await run(['predict', join(trained, 'export'), image], cache)
  const [first, ...rows] = output.trim().split('\n')
  expect(first).toBe(image)
  const found = rows.map((row) => row.trim().split(/ % +/))
  expect(found.map(([, label]) => label).toSorted()).toEqual(['columns', 'noise', 'rows'])
  const shares = found.map(([share]) => Number(share))
  expect(shares).toEqual(shares.toSorted((a, b) => b - a))
})

test('a folder with other files is not replaced by an export', async () => {
  const other = join(folder, 'other')
  await mkdir(other)
  await writeFile(join(other, 'notes.txt'), 'text')
  const { code, errors } = await run(['export', trained, '--out', other], cache)
  expect(code).toBe(1)
  expect(errors).toBe(
    `error: export folder ${other}: cannot be written: it holds notes.txt, which is not part of an export\n`,
  )
  expect(readdirSync(other)).toEqual(['notes.txt'])
  const again = await run(['export', trained, '--out', join(trained, 'export')], cache)
  expect(again.code).toBe(0)
})

test('an image that cannot be read does not stop the others from being classified', async () => {
  const good = join(data, predictions[0].file)
  const { code, output, errors } = await run(['predict', trained, '/none.jpg', good], cache)
  expect(code).toBe(1)
  expect(errors).toContain('error: /none.jpg: cannot be read as an image')
  expect(output.split('\n')[0]).toBe(good)
})

test.skipIf(!chromiumPath)(`an exported folder loads in a page, ${chromiumTitle}`, async () => {
  await run(['export', trained], cache)
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('fixtures/page.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    logLevel: 'error',
  })
  const files = predictions.filter((_, i) => i % 5 === 0).map(({ file }) => `/data/${file}`)
  const origin = await servePage(outputFiles[0].text, files)
  const started = await launchChromium()
  onTestFinished(() => started.close())
  const page = await openPage(started)
  const pageErrors: string[] = []
  page.on('pageerror', ({ message }) => pageErrors.push(message))
  await page.goto(origin)
  await page.waitForFunction('document.title !== ""').catch(() => {
    throw new Error(pageErrors.join('\n') || 'the page did not finish')
  })
  const labels: readonly string[] = JSON.parse(await page.title())
  expect(labels).toHaveLength(files.length)
  for (const label of labels) expect(['rows', 'columns', 'noise']).toContain(label)
})

/** Serves the page, the exported folder, the images, and the files of ONNX Runtime. */
function servePage(program: string, images: readonly string[]): Promise<string> {
  const require = createRequire(import.meta.url)
  const transformers = createRequire(require.resolve('@xenova/transformers'))
  const runtime = dirname(transformers.resolve('onnxruntime-web'))
  const bodyOf = (url: string): string | Buffer | undefined => {
    if (url === '/') return '<!doctype html><script type="module" src="/program.mjs"></script>'
    if (url === '/program.mjs') return program
    if (url === '/images.json') return JSON.stringify(images)
    const [, root, ...rest] = url.split('/')
    const parent = { export: join(trained, 'export'), data, runtime }[root ?? '']
    const path = parent && join(parent, ...rest)
    return path && existsSync(path) ? readFileSync(path) : undefined
  }
  const types: Readonly<Record<string, string>> = {
    '': 'text/html',
    mjs: 'text/javascript',
    wasm: 'application/wasm',
    json: 'application/json',
    jpeg: 'image/jpeg',
  }
  return serve(({ url = '/' }, response) => {
    const body = bodyOf(decodeURIComponent(url))
    const type = types[url.slice(1).split('.').slice(1).pop() ?? ''] ?? 'application/octet-stream'
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': type }).end(body)
  })
}
