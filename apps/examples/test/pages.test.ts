import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromiumPath, chromiumTitle, launchChromium, openPage } from '@diffgrad/testing/chromium'
import { classes, shapes } from '@diffgrad/testing/shapes'
import { pipeline } from '@xenova/transformers'
import { build } from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { build as buildPage, preview } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const cdn = 'https://cdn.jsdelivr.net/npm/'
const runtime = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'))

/** A model of pictures of 32 × 32 pixels, in the place of one of the hub. */
const hubModel = fileURLToPath(new URL('../../playground/public/models/shapes', import.meta.url))

/** Writes pictures in folders named as their classes. */
async function writePictures(folder: string, count: number, seed: number): Promise<void> {
  const size = 32
  const { pixels, labels } = shapes({ count, size, seed })
  for (const [i, label] of labels.entries()) {
    if (label < 6) continue // The model knows these.
    const path = join(folder, classes[label] ?? '')
    mkdirSync(path, { recursive: true })
    const bytes = pixels.subarray(i * size * size * 3, (i + 1) * size * size * 3)
    const raw = { width: size, height: size, channels: 3 } as const
    await sharp(bytes, { raw })
      .png()
      .toFile(join(path, `${i}.png`))
  }
}

/** A module of the workspace as the CDN serves it: bundled, apart from what the import map names. */
async function served(name: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: `export * from '${name}'`, resolveDir: import.meta.dirname },
    bundle: true,
    format: 'esm',
    conditions: ['@diffgrad/source'],
    external: [
      'onnxruntime-web/wasm',
      ...(name === '@diffgrad/onnxruntime' ? ['@diffgrad/core', '@diffgrad/onnx'] : []),
    ],
    write: false,
  })
  return outputFiles[0]?.text ?? ''
}

/** A page of this folder. */
const pageOf = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../pages/${name}.html`, import.meta.url)), 'utf8')

/** Opens a page whose CDN is the workspace: nothing comes from the network. */
async function open(browser: Browser, html: string): Promise<Page> {
  const page = await openPage(browser)
  page.on('pageerror', (error) => {
    throw error
  })
  await page.route('**', async (route) => {
    const url = route.request().url()
    if (url === 'https://example.test/')
      return route.fulfill({ body: html, contentType: 'text/html' })
    const [, file] = /onnxruntime-web@[\d.]+\/dist\/(.*)$/.exec(url) ?? []
    if (file !== undefined) return route.fulfill({ path: join(runtime, file) })
    const [, path] = /huggingface\.co\/[\w-]+\/[\w-]+\/resolve\/main\/(.*)$/.exec(url) ?? []
    if (path !== undefined) return route.fulfill({ path: join(hubModel, path) })
    const [, module] = url.startsWith(cdn)
      ? (/npm\/(@diffgrad\/\w+|@huggingface\/transformers)(?:\/\+esm|@[\d.]+)$/.exec(url) ?? [])
      : []
    if (module === undefined) return route.abort()
    const body = await served(module.replace('@huggingface', '@xenova'))
    return route.fulfill({ body, contentType: 'text/javascript' })
  })
  await page.goto('https://example.test/')
  return page
}

describe.skipIf(!chromiumPath)(chromiumTitle, () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterAll(() => browser?.close())

  test('a script tag with an import map fits the line y = 0.53 x + 0.16', async () => {
    const page = await open(browser, pageOf('script-tag'))
    // Least squares: slope 0.18/0.34, and 0.425 − 0.5 · slope.
    await page.waitForFunction(
      "document.querySelector('output').textContent === 'y = 0.53 x + 0.16'",
    )
    await page.click('canvas', { position: { x: 16, y: 12 } })
    await page.waitForFunction(
      "document.querySelector('output').textContent !== 'y = 0.53 x + 0.16'",
    )
    await page.close()
  })

  test('the page of the guide for a start prints the losses that the guide shows', async () => {
    const path = fileURLToPath(new URL('../../../docs/guides/start.md', import.meta.url))
    const [, html = '', losses = ''] =
      /```html\n(.*?)```\n\n```text\n(.*?)```/s.exec(readFileSync(path, 'utf8')) ?? []
    const page = await open(browser, html)
    await page.waitForFunction("document.querySelector('pre').textContent !== ''")
    expect(losses).toContain('step 0: loss 21.0000')
    expect(await page.textContent('pre')).toBe(losses)
    await page.close()
  })

  test('a page trains a network on ONNX Runtime, and offers it as a file', async () => {
    const page = await open(browser, pageOf('onnxruntime'))
    const link = await page.waitForSelector('a[download]')
    expect(await page.textContent('output')).toMatch(/^step 400: .* accuracy (0\.9\d|1\.00)$/)
    const bytes = await link.evaluate(
      async (a) => (await (await fetch((a as HTMLAnchorElement).href)).arrayBuffer()).byteLength,
    )
    // 2·32 + 32 + 32·32 + 32 + 32·2 + 2 weights of four bytes, and the graph.
    expect(bytes).toBeGreaterThan(4 * 1218)
    await page.close()
  })

  test('a page trains on the threads of the wasm backend, minified', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tfjs-page-'))
    const root = fileURLToPath(new URL('..', import.meta.url))
    const settings = { root, logLevel: 'error', build: { outDir: folder } } as const
    await buildPage(settings)
    const server = await preview({ ...settings, preview: { port: 0, host: '127.0.0.1' } })
    const page = await openPage(browser)
    page.on('pageerror', (error) => {
      throw error
    })
    await page.goto(`${server.resolvedUrls?.local[0]}pages/tfjs.html?backend=wasm`)
    await page.waitForFunction("/right|stopped/.test(document.querySelector('output').textContent)")
    const text = (await page.textContent('output')) ?? ''
    const threads =
      "performance.getEntriesByType('resource').some(({ name }) => /threaded/.test(name))"
    expect(await page.evaluate(threads)).toBe(true)
    // One of ten by chance.
    expect(Number(/^wasm: .* (\d+) % right$/.exec(text)?.[1])).toBeGreaterThan(70)
    await page.close()
    await server.close()
    rmSync(folder, { recursive: true })
  })

  test('a page fine-tunes a model on new classes, and offers a folder for transformers.js', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fine-tune-'))
    const [seen, unseen, model] = ['seen', 'unseen', 'model'].map((name) => join(folder, name))
    await writePictures(seen ?? '', 200, 1)
    await writePictures(unseen ?? '', 60, 1000)
    const page = await open(browser, pageOf('fine-tune'))
    await page.setInputFiles('input', seen ?? '')
    await page.waitForFunction("document.querySelector('output').textContent.endsWith('done')")
    for (const link of await page.$$('a[download]')) {
      const path = join(model ?? '', (await link.textContent()) ?? '')
      mkdirSync(dirname(path), { recursive: true })
      const bytes = await link.evaluate(async (a) => [
        ...new Uint8Array(await (await fetch((a as HTMLAnchorElement).href)).arrayBuffer()),
      ])
      writeFileSync(path, Uint8Array.from(bytes))
    }
    await page.close()
    const classify = await pipeline('image-classification', model, { dtype: 'fp32' })
    const files = readdirSync(unseen ?? '', { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile(),
    )
    let correct = 0
    for (const { name, parentPath } of files) {
      const [best] = [await classify(join(parentPath, name), { top_k: 1 })].flat(2)
      if (best?.label === basename(parentPath)) correct++
    }
    await classify.dispose()
    rmSync(folder, { recursive: true })
    // One of four by chance.
    expect(files).toHaveLength(24)
    expect(correct / files.length).toBeGreaterThan(0.5)
  })
})
