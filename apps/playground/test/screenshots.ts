import { fileURLToPath } from 'node:url'
import { launchChromium } from '@diffgrad/testing/chromium'
import type { Page } from 'playwright-core'
import sharp from 'sharp'
import { serveSite } from './browser/site.ts'

// Takes the pictures of docs/images anew: `pnpm --filter playground screenshots`.

const folder = fileURLToPath(new URL('../../../docs/images/', import.meta.url))

const site = await serveSite()
const browser = await launchChromium()

/** Opens an address in a page of a size, and keeps what it shows once it is ready. */
async function take(
  file: string,
  address: string,
  { width, height }: { readonly width: number; readonly height: number },
  ready: (page: Page) => Promise<void>,
): Promise<void> {
  const page = await browser.newPage({ viewport: { width, height }, deviceScaleFactor: 1.1 })
  await page.goto(site.url + address)
  await ready(page)
  await page.waitForTimeout(500) // Fonts and the last frame.
  const picture = await page.screenshot()
  await sharp(picture)
    .png({ palette: true, colours: 128, effort: 10 })
    .toFile(folder + file)
  await page.close()
}

try {
  const scrubbed = async (page: Page): Promise<void> => page.locator('.facts').waitFor()
  const size = { width: 1280, height: 840 }
  await take('playground-race.png', '#race?story=adam-overshoots&at=300', size, scrubbed)
  await take('playground-swarm.png', '#swarm', { width: 1280, height: 710 }, (page) =>
    page.locator('.standing', { hasText: 'step 300 of 300' }).waitFor(),
  )
} finally {
  await browser.close()
  await site.close()
}
