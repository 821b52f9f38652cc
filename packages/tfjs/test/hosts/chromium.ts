import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { originOf, serve } from '../browser/serve.ts'
import type { Verdict } from '../judge.ts'

/** Where Chromium is, if it is anywhere. */
export const executablePath: string | undefined = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => path !== undefined && existsSync(path))

// SwiftShader computes on the CPU what a graphics card would.
const args = [
  '--headless',
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--ignore-gpu-blocklist',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
]

/** Judges a backend in a page of Chromium. */
export async function inChromium(backend: string, path = '/'): Promise<readonly Verdict[]> {
  const server = await serve()
  const browser = await chromium.launch({ executablePath: executablePath ?? '', args })
  try {
    const page = await browser.newPage()
    page.on('pageerror', (error) => console.error(error))
    await page.goto(originOf(server) + path)
    return await page.evaluate<readonly Verdict[]>(`judge(${JSON.stringify(backend)})`)
  } finally {
    await browser.close()
    server.close()
  }
}
