import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'

/** The path of Chromium or Chrome: CHROMIUM, or where it is usually installed; undefined if there is none. */
export const chromiumPath: string | undefined = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => path && existsSync(path))

/** Why tests in Chromium are skipped, and how to provide it. */
export const chromiumMissing = 'no Chromium is installed (set CHROMIUM to its path)'

/** The title of a block of tests in Chromium, with the reason if they are skipped. */
export const chromiumTitle: string = chromiumPath
  ? 'in Chromium'
  : `in Chromium: skipped, because ${chromiumMissing}`

/** Flags that run WebGL and WebGPU on the CPU, by SwiftShader. */
export const swiftShaderFlags: readonly string[] = [
  ...['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
  ...['--ignore-gpu-blocklist', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
  '--enable-features=Vulkan',
]

/** Starts Chromium without a window and without its background services. */
export const launchChromium = (flags: readonly string[] = ['--disable-gpu']): Promise<Browser> =>
  chromium.launch({
    executablePath: chromiumPath ?? '',
    args: [
      ...['--headless', '--no-sandbox', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
      ...flags,
    ],
  })

/** Opens a page with long time-outs, since pages are slow where many tests run at once. */
export async function openPage(
  browser: Browser,
  options?: Parameters<Browser['newPage']>[0],
): Promise<Page> {
  const page = await browser.newPage(options)
  page.setDefaultTimeout(100_000)
  return page
}
