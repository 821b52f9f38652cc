import { launchChromium, openPage, swiftShaderFlags } from '@diffgrad/testing/chromium'
import { originOf, serve } from '../browser/serve.ts'
import type { Verdict } from '../judge.ts'

/** Judges a backend in a page of Chromium. */
export async function inChromium(backend: string, path = '/'): Promise<readonly Verdict[]> {
  const server = await serve()
  const browser = await launchChromium(swiftShaderFlags)
  try {
    const page = await openPage(browser)
    page.on('pageerror', (error) => console.error(error))
    await page.goto(originOf(server) + path)
    return await page.evaluate<readonly Verdict[]>(`judge(${JSON.stringify(backend)})`)
  } finally {
    await browser.close()
    server.close()
  }
}
