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

  // The weights and the data have fixed seeds.
  test.each([
    { query: '?batch=8', backend: 'webgpu', count: 4, share: 0.85 },
    { query: '?batch=8&backend=webgl', backend: 'webgl', count: 4, share: 0.85 },
    { query: '?backend=wasm', backend: 'wasm', count: 40, share: 0.7 },
  ])('the loss falls on $backend', async ({ query, backend, count, share }) => {
    const page = await openPage(browser)
    const steps = await firstSteps(page, `${server.resolvedUrls?.local[0]}${query}`, count)
    expect(steps.map(({ step }) => step)).toEqual(steps.map((_, i) => i + 1))
    expect(new Set(steps.map((step) => step.backend))).toEqual(new Set([backend]))
    expect(steps[count - 1].loss).toBeLessThan(share * steps[0].loss)
    expect(await page.locator('#backend').textContent()).toBe(backend)
    await page.close()
  })
})
