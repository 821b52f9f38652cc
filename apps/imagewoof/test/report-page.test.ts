import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromiumPath, chromiumTitle, launchChromium, openPage } from '@diffgrad/testing/chromium'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { fileFolder } from './command.ts'
import {
  writeSyntheticComparison,
  writeSyntheticRangeTest,
  writeSyntheticReport,
} from './synthetic-run.ts'

const folder = fileFolder()
const counts = [2, 10, 37, 200]
const reports = new Map<string, string>()

beforeAll(async () => {
  for (const count of counts)
    reports.set(
      `a report of ${count} classes`,
      await writeSyntheticReport(join(folder, `run-${count}`), count),
    )
  reports.set('a comparison', await writeSyntheticComparison(join(folder, 'comparison')))
  reports.set('a range test', await writeSyntheticRangeTest(join(folder, 'range-test.html')))
})

let browser: Awaited<ReturnType<typeof launchChromium>>

/** Opens a report, and collects the errors of its console. */
async function openReport(name: string, width: number) {
  const page = await openPage(browser, { viewport: { width, height: 800 } })
  onTestFinished(() => page.close())
  const errors: string[] = []
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  page.on('pageerror', ({ message }) => errors.push(message))
  await page.goto(pathToFileURL(reports.get(name) ?? '').href)
  return { page, errors }
}

/** The lines of the hover text. */
const tipOf = (page: Awaited<ReturnType<typeof openPage>>): Promise<readonly string[]> =>
  page.locator('.tip div').allTextContents()

/** The smallest visible text in CSS pixels, SVG included, and the widths of the page. */
const measure = `(() => {
  const sizes = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const { parentElement, data } = walker.currentNode
    if (!data.trim() || !parentElement.checkVisibility()) continue
    if (parentElement.closest('script, style')) continue
    const scale = parentElement instanceof SVGElement ? Math.hypot(parentElement.getScreenCTM().a, parentElement.getScreenCTM().b) : 1
    sizes.push([scale * parseFloat(getComputedStyle(parentElement).fontSize), data])
  }
  sizes.sort((a, b) => a[0] - b[0])
  const { scrollWidth, clientWidth } = document.documentElement
  return { smallest: sizes[0], overflow: scrollWidth - clientWidth }
})()`

describe.skipIf(!chromiumPath)(`reports ${chromiumTitle}`, () => {
  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterAll(() => browser.close())

  test.each([
    ...counts.map((count) => `a report of ${count} classes`),
    'a comparison',
    'a range test',
  ])('%s fits a page of 390 px, in text of 11 px at least', async (name) => {
    const { page, errors } = await openReport(name, 390)
    const { smallest, overflow } = await page.evaluate<{
      smallest: readonly [number, string]
      overflow: number
    }>(measure)
    expect(overflow).toBe(0)
    expect(smallest[0], smallest[1]).toBeGreaterThanOrEqual(11)
    expect(errors).toEqual([])
  })

  test('charts show the values under the pointer, and those that arrow keys move to', async () => {
    const { page, errors } = await openReport('a report of 10 classes', 1280)
    const chart = page.getByRole('img', { name: 'Accuracy by epoch' })
    await chart.hover({ position: { x: 200, y: 100 } })
    expect((await tipOf(page)).join('\n')).toMatch(
      /^epoch \d+\ntraining [\d.]+ %\nvalidation [\d.]+ %\nbest epoch [\d.]+ % \(epoch 9\)$/,
    )
    await chart.focus()
    await page.keyboard.press('Home')
    expect((await tipOf(page))[0]).toBe('epoch 1')
    await page.keyboard.press('ArrowRight')
    expect((await tipOf(page))[0]).toBe('epoch 2')
    await page.keyboard.press('Escape')
    expect(await page.locator('.tip').count()).toBe(0)
    const matrix = page.getByRole('table', { name: 'Confusion matrix' })
    await matrix.focus()
    await page.keyboard.press('Home')
    await page.keyboard.press('ArrowRight')
    expect((await tipOf(page)).join('\n')).toMatch(
      /^Australian terrier classified as Beagle: \d+ of \d+ \([\d.]+ %\)$/,
    )
    expect(errors).toEqual([])
  })

  test('a map of many classes names its cells, and zooms', async () => {
    const { page, errors } = await openReport('a report of 200 classes', 390)
    const map = page.getByRole('img', { name: 'Confusion map' })
    await map.focus()
    await page.keyboard.press('Home')
    // Focus scrolls the page, and the event may arrive after the key.
    await page.evaluate("document.dispatchEvent(new Event('scroll'))")
    expect((await tipOf(page)).join('\n')).toMatch(
      /^Australian terrier 1 recognized\n\d+ of \d+ images$/,
    )
    const widthOf = async (): Promise<number> => (await map.boundingBox())?.width ?? 0
    const before = await widthOf()
    await page.getByRole('button', { name: '×3' }).click()
    expect((await widthOf()) / before).toBeCloseTo(3, 1)
    expect(errors).toEqual([])
  })

  test('a click on a header sorts the classes', async () => {
    const { page } = await openReport('a report of 37 classes', 1280)
    const table = page.locator('table', { hasText: 'precision' })
    const column = (i: number): Promise<readonly string[]> =>
      table.locator(`tbody td:nth-child(${i})`).allTextContents()
    const numbers = async (i: number): Promise<readonly number[]> =>
      (await column(i)).map((text) => Number.parseFloat(text.replace(',', '')))
    const f1 = await numbers(5)
    expect(f1).toEqual(f1.toSorted((a, b) => a - b))
    await table.getByRole('button', { name: 'images' }).click()
    const ascending = await numbers(2)
    expect(ascending).toEqual(ascending.toSorted((a, b) => a - b))
    await table.getByRole('button', { name: 'images' }).click()
    expect(await numbers(2)).toEqual(ascending.toReversed())
    await table.getByRole('button', { name: 'class' }).click()
    const names = await column(1)
    expect(names).toEqual(names.toSorted((a, b) => a.localeCompare(b)))
  })
})
