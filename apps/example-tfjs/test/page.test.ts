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
import type { Browser } from 'playwright-core'
import { build, type PreviewServer, preview } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

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

  test.each([
    { query: '', backend: 'webgpu', steps: 8 },
    { query: '?backend=webgl', backend: 'webgl', steps: 8 },
    { query: '?backend=wasm', backend: 'wasm', steps: 60 },
  ])('the loss falls on $backend', async ({ query, backend, steps }) => {
    const page = await openPage(browser)
    const errors: Error[] = []
    page.on('pageerror', (error) => errors.push(error))
    await page.goto(`${server.resolvedUrls?.local[0]}${query}`, { waitUntil: 'commit' })
    const read = (id: string): Promise<string | null> => page.locator(`#${id}`).textContent()
    const lossAt = async (least: number): Promise<number> => {
      const is = `Number(step.value) >= ${least}`
      await page.waitForFunction(is, undefined, { polling: 50 })
      return Number(await read('loss'))
    }
    const [first, last] = [await lossAt(1), await lossAt(steps)]
    expect(await read('backend')).toBe(backend)
    expect(last).toBeLessThan(backend === 'wasm' ? 0.7 * first : first)
    expect(errors).toEqual([])
    await page.close()
  })
})
