import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromiumPath, chromiumTitle, launchChromium, openPage } from '@diffgrad/testing/chromium'
import { build } from 'esbuild'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { run, scratch, tiny } from './command.ts'
import { photographs } from './photographs.ts'

const folder = scratch()
const cache = join(folder, 'cache')
const data = join(folder, 'photographs')
const trained = join(folder, 'run')

/** What `evaluate --json` says of a picture. */
interface Prediction {
  readonly file: string
  readonly predicted: string
  readonly probability: number
}
let predictions: readonly Prediction[] = []

beforeAll(async () => {
  await photographs(data)
  const options = ['--epochs', '3', '--learning-rate', '0.01']
  const { errors } = await run(
    ['train', '--data', data, '--out', trained, ...tiny, ...options],
    cache,
  )
  expect(errors).toBe('')
  const { output } = await run(['evaluate', trained, '--json'], cache)
  predictions = JSON.parse(output).predictions
}, 120_000)

test('the pipeline of transformers.js sees in photographs what evaluate sees', async () => {
  expect(predictions).toHaveLength(30)
  expect(new Set(predictions.map(({ predicted }) => predicted)).size).toBeGreaterThan(1)
  const files = predictions.map(({ file }) => join(data, file))
  const { code, output } = await run(['predict', trained, ...files, '--json', '--top', '1'], cache)
  expect(code).toBe(0)
  const found: readonly { classes: readonly { label: string; probability: number }[] }[] =
    JSON.parse(output)
  for (const [i, { classes }] of found.entries()) {
    expect(classes[0].label).toBe(predictions[i].predicted)
    expect(classes[0].probability).toBeCloseTo(predictions[i].probability, 3)
  }
})

test('the classes that predict prints are those of the data, the most probable first', async () => {
  const picture = join(data, predictions[0].file)
  const { output } = await run(['predict', join(trained, 'export'), picture], cache)
  const [first, ...rows] = output.trim().split('\n')
  expect(first).toBe(picture)
  const found = rows.map((row) => row.trim().split(/ % +/))
  expect(found.map(([, label]) => label).toSorted()).toEqual(['columns', 'noise', 'rows'])
  const shares = found.map(([share]) => Number(share))
  expect(shares).toEqual(shares.toSorted((a, b) => b - a))
})

test('what is no export is not replaced by one', async () => {
  const mine = join(folder, 'mine')
  await mkdir(mine)
  await writeFile(join(mine, 'thesis.txt'), 'years of work')
  const { code, errors } = await run(['export', trained, '--out', mine], cache)
  expect(code).toBe(1)
  expect(errors).toBe(
    `error: export folder ${mine}: cannot be written: it holds thesis.txt, which is no part of an export\n`,
  )
  expect(readdirSync(mine)).toEqual(['thesis.txt'])
  const again = await run(['export', trained, '--out', join(trained, 'export')], cache)
  expect(again.code).toBe(0)
})

test('a picture that cannot be read does not keep the others from being looked at', async () => {
  const good = join(data, predictions[0].file)
  const { code, output, errors } = await run(['predict', trained, '/none.jpg', good], cache)
  expect(code).toBe(1)
  expect(errors).toContain('error: /none.jpg: cannot be read as a picture')
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
  const origin = await serve(outputFiles[0].text, files)
  const started = await launchChromium()
  onTestFinished(() => started.close())
  const page = await openPage(started)
  const complaints: string[] = []
  page.on('pageerror', ({ message }) => complaints.push(message))
  await page.goto(origin)
  await page.waitForFunction('document.title !== ""').catch(() => {
    throw new Error(complaints.join('\n') || 'the page gave no answer')
  })
  const labels: readonly string[] = JSON.parse(await page.title())
  expect(labels).toHaveLength(files.length)
  for (const label of labels) expect(['rows', 'columns', 'noise']).toContain(label)
})

/** Serves the page, the exported folder, pictures and the runtime's own files. */
async function serve(program: string, pictures: readonly string[]): Promise<string> {
  const require = createRequire(import.meta.url)
  const transformers = createRequire(require.resolve('@xenova/transformers'))
  const runtime = dirname(transformers.resolve('onnxruntime-web'))
  const bodyOf = (url: string): string | Buffer | undefined => {
    if (url === '/') return '<!doctype html><script type="module" src="/program.mjs"></script>'
    if (url === '/program.mjs') return program
    if (url === '/pictures.json') return JSON.stringify(pictures)
    const [, root, ...rest] = url.split('/')
    const place = { export: join(trained, 'export'), data, runtime }[root ?? '']
    const path = place && join(place, ...rest)
    return path && existsSync(path) ? readFileSync(path) : undefined
  }
  const types: Readonly<Record<string, string>> = {
    '': 'text/html',
    mjs: 'text/javascript',
    wasm: 'application/wasm',
    json: 'application/json',
    jpeg: 'image/jpeg',
  }
  const server = createServer(({ url = '/' }, response) => {
    const body = bodyOf(decodeURIComponent(url))
    const type = types[url.slice(1).split('.').slice(1).pop() ?? ''] ?? 'application/octet-stream'
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': type }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('must have a port')
  return `http://127.0.0.1:${address.port}/`
}
