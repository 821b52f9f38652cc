import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { launchChromium, openPage } from '@diffgrad/testing/chromium'
import {
  writeSyntheticComparison,
  writeSyntheticRangeTest,
  writeSyntheticReport,
} from '../test/synthetic-run.ts'

// Writes reports of made-up trainings on 2, 10, 37 and 200 classes, of a comparison and of a range test, and
// screenshots of them and of other pages, wide and narrow, light and dark: `pnpm --filter imagewoof screenshots <folder> [report.html …]`.
const [folder, ...others] = process.argv.slice(2)
await mkdir(folder, { recursive: true })
const reports = new Map<string, string>()
for (const count of [2, 10, 37, 200]) {
  const run = join(folder, `run-${count}`)
  await rm(run, { recursive: true, force: true })
  reports.set(String(count), await writeSyntheticReport(run, count))
}
const comparison = join(folder, 'comparison')
await rm(comparison, { recursive: true, force: true })
reports.set('comparison', await writeSyntheticComparison(comparison))
reports.set('range-test', await writeSyntheticRangeTest(join(folder, 'range-test.html')))
for (const [i, path] of others.entries()) reports.set(`other-${i + 1}`, path)

const browser = await launchChromium()
for (const [name, path] of reports)
  for (const width of [1280, 390])
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await openPage(browser, { viewport: { width, height: 800 }, colorScheme })
      await page.goto(new URL(path, `file://${process.cwd()}/`).href)
      const file = join(folder, `${name}-${width}-${colorScheme}.png`)
      await page.screenshot({ path: file, fullPage: true })
      console.log(file)
      await page.close()
    }
await browser.close()
