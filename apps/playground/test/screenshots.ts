import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { launchChromium } from '@diffgrad/testing/chromium'
import type { Page } from 'playwright-core'
import sharp from 'sharp'
import { buildSite, serveSite } from './site.ts'

// Writes the screenshots of the README: `pnpm --filter playground screenshots [folder]`.

const folder = process.argv[2] ?? fileURLToPath(new URL('../../../docs/images', import.meta.url))

const built = await buildSite()
const site = await serveSite(built)
const browser = await launchChromium()

/** @param ready - resolves when the page shows what the screenshot is of. */
async function takeScreenshot(
  file: string,
  hash: string,
  { width, height }: { readonly width: number; readonly height: number },
  ready: (page: Page) => Promise<void>,
): Promise<void> {
  const page = await browser.newPage({ viewport: { width, height }, deviceScaleFactor: 1.1 })
  await page.goto(site.url + hash)
  await ready(page)
  await page.evaluate('document.fonts.ready.then(() => undefined)')
  await page.evaluate(
    'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))',
  )
  const screenshot = await page.screenshot()
  await sharp(screenshot)
    .png({ palette: true, colours: 128, effort: 10 })
    .toFile(`${folder}/${file}`)
  await page.close()
}

try {
  await takeScreenshot(
    'playground-race.png',
    '#race?story=adam-overshoots&at=300',
    { width: 1280, height: 840 },
    (page) => page.locator('.facts').waitFor(),
  )
  await takeScreenshot('playground-swarm.png', '#swarm', { width: 1280, height: 710 }, (page) =>
    page.locator('.status', { hasText: 'step 300 of 300' }).waitFor(),
  )
} finally {
  await browser.close()
  await site.close()
  rmSync(built, { recursive: true })
}
