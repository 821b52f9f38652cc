import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'

/** Where Chromium or a relative of it is, if one is anywhere. */
export const chromiumPath: string | undefined = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => path && existsSync(path))

/** Says how a machine without Chromium gets one. */
export const withoutChromium = 'no Chromium is installed (set CHROMIUM to its path)'

/** The title of tests in Chromium, which says why they are skipped, where they are. */
export const inChromium: string = chromiumPath
  ? 'in Chromium'
  : `in Chromium: skipped, because ${withoutChromium}`

/** Flags by which SwiftShader computes on the CPU what a graphics card would, for WebGL and WebGPU. */
export const emulatedGpu: readonly string[] = [
  ...['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
  ...['--ignore-gpu-blocklist', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
  '--enable-features=Vulkan',
]

/** Starts Chromium without a window, and without anything that it does on its own. */
export const launchChromium = (flags: readonly string[] = ['--disable-gpu']): Promise<Browser> =>
  chromium.launch({
    executablePath: chromiumPath ?? '',
    args: [
      ...['--headless', '--no-sandbox', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
      ...flags,
    ],
  })

/** Opens a page that has patience: where many tests run at once, a page may be slow. */
export async function openPage(
  browser: Browser,
  options?: Parameters<Browser['newPage']>[0],
): Promise<Page> {
  const page = await browser.newPage(options)
  page.setDefaultTimeout(100_000)
  return page
}
