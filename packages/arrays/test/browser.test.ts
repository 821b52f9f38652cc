import { chromiumPath, chromiumTitle, launchChromium, openPage } from '@diffgrad/testing/chromium'
import { describe, expect, test } from 'vitest'
import type { Outcome } from './browser/page.ts'
import { bundle, originOf, type Policy, serve } from './browser/serve.ts'

const plain = ['generated JavaScript', 'block interpreter']
const wasm = [...plain, 'WebAssembly, staged', 'WebAssembly, allocated']

const cases: readonly (Policy & Pick<Outcome, 'subjects' | 'threads'> & { tier: string })[] = [
  {
    path: '/self',
    content: "script-src 'self'",
    isolated: false,
    tier: 'javascript',
    subjects: plain,
    threads: 1,
  },
  {
    path: '/wasm',
    content: "script-src 'self' 'wasm-unsafe-eval'",
    isolated: false,
    tier: 'wasm',
    subjects: [...wasm, 'WebAssembly, relaxed'],
    threads: 1,
  },
  {
    path: '/isolated',
    content: "script-src 'self' 'wasm-unsafe-eval'; worker-src blob:",
    isolated: true,
    tier: 'wasm',
    subjects: [...wasm, 'WebAssembly, shared', 'WebAssembly, relaxed'],
    threads: 2,
  },
]

describe.skipIf(!chromiumPath)(chromiumTitle, () => {
  test.each(cases)('every law holds under $content', async (expected) => {
    const server = await serve(cases, await bundle())
    const browser = await launchChromium()
    try {
      const page = await openPage(browser)
      await page.goto(originOf(server) + expected.path)
      const { kernel, subjects, laws, failures, threads } = await page.evaluate<Outcome>('outcome')
      expect(failures).toEqual([])
      expect(laws).toBeGreaterThan(20)
      expect({ tier: kernel.tier, subjects, threads }).toEqual({
        tier: expected.tier,
        subjects: expected.subjects,
        threads: expected.threads,
      })
    } finally {
      await browser.close()
      server.close()
    }
  })
})
