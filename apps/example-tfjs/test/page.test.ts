import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  chromiumPath,
  chromiumTitle,
  launchChromium,
  openPage,
  swiftShaderFlags,
} from '@diffgrad/testing/chromium'
import type { Browser, Page } from 'playwright-core'
import { build, type PreviewServer, preview } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

/** The detail of the event `trained`, which the page dispatches after every step. */
interface Step {
  readonly step: number
  readonly loss: number
  readonly backend: string
}

/** Opens the page and returns its first steps; throws the first error of the page. */
async function firstSteps(page: Page, url: string, count: number): Promise<readonly Step[]> {
  let onTrained = (_: Step): void => {}
  await page.exposeFunction('onTrained', (step: Step) => onTrained(step))
  await page.addInitScript(`addEventListener('trained', ({ detail }) => onTrained(detail))`)
  return new Promise((resolve, reject) => {
    const steps: Step[] = []
    onTrained = (step) => {
      steps.push(step)
      if (steps.length === count) resolve(steps)
    }
    page.on('pageerror', reject)
    page.goto(url, { waitUntil: 'commit' }).catch(reject)
  })
}

describe.skipIf(!chromiumPath)(chromiumTitle, () => {
  let folder: string
  let server: PreviewServer
  let browser: Browser
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'example-'))
    const root = fileURLToPath(new URL('..', import.meta.url))
    const settings = { root, logLevel: 'error', build: { outDir: folder } } as const
    await build(settings)
    server = await preview({ ...settings, preview: { port: 0, host: '127.0.0.1' } })
    browser = await launchChromium(swiftShaderFlags)
  })
  afterAll(async () => {
    await browser?.close()
    await server?.close()
    await rm(folder, { recursive: true })
  })

  const origin = (): string => server.resolvedUrls?.local[0] ?? ''

  // The weights and the data have fixed seeds.
  test.each([
    { query: '?batch=8', backend: 'webgpu', count: 4, share: 0.85 },
    { query: '?batch=8&backend=webgl', backend: 'webgl', count: 4, share: 0.85 },
    { query: '?backend=wasm', backend: 'wasm', count: 40, share: 0.7 },
  ])(
    'the loss falls on $backend, minified, on an isolated page',
    async ({ query, backend, count, share }) => {
      const page = await openPage(browser)
      const steps = await firstSteps(page, `${origin()}${query}`, count)
      expect(await page.evaluate('crossOriginIsolated')).toBe(true)
      expect(steps.map(({ step }) => step)).toEqual(steps.map((_, i) => i + 1))
      expect(new Set(steps.map((step) => step.backend))).toEqual(new Set([backend]))
      expect(steps[count - 1].loss).toBeLessThan(share * steps[0].loss)
      expect(await page.locator('#backend').textContent()).toBe(backend)
      expect(await page.locator('#error').isVisible()).toBe(false)
      await page.close()
    },
  )

  test('the wasm backend trains without threads on a page that is not isolated', async () => {
    const page = await openPage(browser)
    await page.route('**/?backend=wasm', async (route) => {
      const response = await route.fetch()
      await route.fulfill({ body: await response.body(), contentType: 'text/html' })
    })
    const steps = await firstSteps(page, `${origin()}?backend=wasm`, 2)
    expect(await page.evaluate('crossOriginIsolated')).toBe(false)
    expect(steps[1].backend).toBe('wasm')
    await page.close()
  })

  test('a backend that does not exist is named in the page', async () => {
    const page = await openPage(browser)
    await page.goto(`${origin()}?backend=abacus`)
    await expect
      .poll(() => page.locator('#error').textContent(), { timeout: 60_000 })
      .toBe('Training has stopped: none of abacus starts in this browser')
    await page.close()
  })

  test('a backend that never starts is named in the page', async () => {
    const page = await openPage(browser)
    await page.clock.install()
    const asked = page.waitForRequest('**/*.wasm')
    await page.route('**/*.wasm', () => {}) // No answer.
    await page.goto(`${origin()}?backend=wasm`)
    await asked
    await page.clock.runFor(30_000)
    await expect
      .poll(() => page.locator('#error').textContent(), { timeout: 60_000 })
      .toBe('Training has stopped: none of wasm starts in this browser')
    await page.close()
  })
})
