import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { openPage } from '@diffgrad/testing/chromium'
import { build } from 'esbuild'

type Browser = Parameters<typeof openPage>[0]

/** The most probable class of an image, and its probability. */
export type Best = readonly [label: string, probability: number]

const require = createRequire(import.meta.url)

/** Classifies images with the pipeline of transformers.js, in a page. */
export async function openPipelines(
  browser: Browser,
  models: Readonly<Record<string, string>>,
  images: string,
): Promise<(model: string, image: string) => Promise<Best>> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('fixtures/page.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    logLevel: 'error',
  })
  const transformers = createRequire(require.resolve('@xenova/transformers'))
  const runtime = dirname(transformers.resolve('onnxruntime-web'))
  const page = await openPage(browser)
  await page.route('**/*', (route) => {
    const [, root, ...rest] = decodeURIComponent(new URL(route.request().url()).pathname).split('/')
    if (root === '')
      return route.fulfill({
        contentType: 'text/html',
        body: '<!doctype html><script type="module" src="/program.mjs"></script>',
      })
    if (root === 'program.mjs')
      return route.fulfill({ contentType: 'text/javascript', body: outputFiles[0].text })
    const [name, ...inModel] = rest
    const path =
      root === 'models'
        ? join(models[name], ...inModel)
        : join(root === 'runtime' ? runtime : images, ...rest)
    return existsSync(path) ? route.fulfill({ path }) : route.fulfill({ status: 404 })
  })
  await page.goto('http://localhost/')
  await page.waitForFunction('"classify" in globalThis')
  return (model, image) =>
    page.evaluate(`classify(${JSON.stringify(model)}, ${JSON.stringify(`/images/${image}`)})`)
}

/** What an exported index.html shows for a file. */
export interface Shown {
  readonly file: string
  /** The classes in the order of the page; none if the file cannot be read. */
  readonly labels: readonly string[]
  /** The percentages beside them, rounded to a decimal. */
  readonly percentages: readonly number[]
  /** Why the file cannot be read. */
  readonly problem: string | undefined
}

/** Opens an exported index.html from its file, without a network, and returns what it shows. */
export async function openExportedPage(browser: Browser, folder: string) {
  const context = await browser.newContext({ offline: true })
  const page = await context.newPage()
  page.setDefaultTimeout(100_000)
  const requests: string[] = []
  page.on('request', (request) => requests.push(request.url()))
  await page.goto(pathToFileURL(join(folder, 'index.html')).href)
  await page.getByText('Ready.').waitFor()
  const shown = async (count: number): Promise<readonly Shown[]> => {
    await page.waitForFunction(
      `document.querySelectorAll('article:not([aria-busy])').length === ${count}`,
    )
    return page.evaluate(`[...document.querySelectorAll('article')].map((card) => ({
      file: card.querySelector('h3').textContent,
      labels: [...card.querySelectorAll('.label')].map(({ textContent }) => textContent),
      percentages: [...card.querySelectorAll('.share')].map(({ textContent }) => parseFloat(textContent)),
      problem: card.querySelector('.problem')?.textContent,
    }))`)
  }
  return { page, requests, shown }
}
