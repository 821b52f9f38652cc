import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromiumPath, chromiumTitle, launchChromium, openPage } from '@diffgrad/testing/chromium'
import { build } from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const cdn = 'https://cdn.jsdelivr.net/npm/'
const runtime = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'))

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

/** Opens a page whose CDN is the workspace: nothing comes from the network. */
async function open(browser: Browser, name: string): Promise<Page> {
  const page = await openPage(browser)
  page.on('pageerror', (error) => {
    throw error
  })
  await page.route('**', async (route) => {
    const url = route.request().url()
    if (url === 'https://example.test/') {
      const body = readFileSync(fileURLToPath(new URL(`../pages/${name}.html`, import.meta.url)))
      return route.fulfill({ body, contentType: 'text/html' })
    }
    const [, file] = /onnxruntime-web@[\d.]+\/dist\/(.*)$/.exec(url) ?? []
    if (file !== undefined) return route.fulfill({ path: join(runtime, file) })
    const [, module] = url.startsWith(cdn) ? (/npm\/(@diffgrad\/\w+)\/\+esm$/.exec(url) ?? []) : []
    if (module === undefined) return route.abort()
    return route.fulfill({ body: await served(module), contentType: 'text/javascript' })
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
    const page = await open(browser, 'script-tag')
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

  test('a page trains a network on ONNX Runtime, and offers it as a file', async () => {
    const page = await open(browser, 'onnxruntime')
    const link = await page.waitForSelector('a[download]')
    expect(await page.textContent('output')).toMatch(/^step 400: .* accuracy (0\.9\d|1\.00)$/)
    const bytes = await link.evaluate(
      async (a) => (await (await fetch((a as HTMLAnchorElement).href)).arrayBuffer()).byteLength,
    )
    // 2·32 + 32 + 32·32 + 32 + 32·2 + 2 weights of four bytes, and the graph.
    expect(bytes).toBeGreaterThan(4 * 1218)
    await page.close()
  })
})
