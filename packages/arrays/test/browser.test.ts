import { chromiumPath, chromiumTitle, launchChromium, openPage } from '@diffgrad/testing/chromium'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PageReport } from './browser/page.ts'
import { bundle, originOf, type Policy, serve } from './browser/serve.ts'

const javascript = ['generated JavaScript', 'block interpreter']
const wasm = ['WebAssembly, staged', 'WebAssembly, allocated', 'WebAssembly, relaxed']
const shared = ['WebAssembly, shared']

/** Each policy with what runs under it. The laws are checked once on each engine. */
const cases: readonly (Policy & {
  readonly tier: string
  readonly available: readonly string[]
  readonly checked: readonly string[]
  readonly threads: number
})[] = [
  {
    path: '/self',
    content: "script-src 'self'",
    isolated: false,
    tier: 'javascript',
    available: javascript,
    checked: javascript,
    threads: 1,
  },
  {
    path: '/wasm',
    content: "script-src 'self' 'wasm-unsafe-eval'",
    isolated: false,
    tier: 'wasm',
    available: [...javascript, ...wasm],
    checked: wasm,
    threads: 1,
  },
  {
    path: '/isolated',
    content: "script-src 'self' 'wasm-unsafe-eval'; worker-src blob:",
    isolated: true,
    tier: 'wasm',
    available: [...javascript, ...wasm, ...shared],
    checked: shared,
    threads: 2,
  },
]

describe.skipIf(!chromiumPath)(chromiumTitle, () => {
  let browser: Awaited<ReturnType<typeof launchChromium>>
  let server: Awaited<ReturnType<typeof serve>>
  beforeAll(async () => {
    server = await serve(cases, await bundle())
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser.close()
    server.close()
  })

  test.each(cases)('every law holds under $content', async (expected) => {
    const page = await openPage(browser)
    await page.goto(originOf(server) + expected.path)
    const { kernel, backends, laws, failures, threads } = await page.evaluate<PageReport>(
      `report(${JSON.stringify(expected.checked)})`,
    )
    expect(failures).toEqual([])
    expect(laws).toBeGreaterThan(20)
    expect(kernel.tier).toBe(expected.tier)
    expect(backends.toSorted()).toEqual(expected.available.toSorted())
    expect(threads).toBe(expected.threads)
    await page.close()
  })
})
