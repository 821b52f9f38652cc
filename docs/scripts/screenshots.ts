import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { launchChromium, openPage } from '@diffgrad/testing/chromium'
import { preview } from 'vite'

// Screenshots of the built site, in both colour schemes, on a desktop and on a phone: an argument names their folder.

const [folder = 'screenshots'] = process.argv.slice(2)
mkdirSync(folder, { recursive: true })
const outDir = fileURLToPath(new URL('../.vitepress/dist', import.meta.url))
const server = await preview({ build: { outDir }, preview: { port: 0 }, logLevel: 'error' })
const url = server.resolvedUrls?.local[0] ?? ''
const browser = await launchChromium()
for (const colorScheme of ['light', 'dark'] as const)
  for (const width of [1366, 360])
    for (const path of [
      '',
      'guides/start.html',
      'packages/examples.html',
      'examples/tfjs-html.html',
      'guides/schedules.html',
      'optimizers/',
      'optimizers/lion.html',
      'api/',
    ]) {
      const page = await openPage(browser, { colorScheme, viewport: { width, height: 768 } })
      await page.goto(url + path, { waitUntil: 'load' })
      const sideways = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      )
      if (sideways > 0) console.log(`${path} scrolls sideways by ${sideways} px at ${width} px`)
      const name = path.replace(/\W+/g, '-') || 'home'
      await page.screenshot({
        path: `${folder}/${name}-${width}-${colorScheme}.png`,
        fullPage: width > 1000 && /^(optimizers\/l|guides\/start)/.test(path),
      })
      await page.close()
    }
await browser.close()
await server.close()
