import { gzipSync } from 'node:zlib'
import { chromiumPath, chromiumTitle, launchChromium, openPage } from '@diffgrad/testing/chromium'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { addressOf, stateOf } from '../src/address/address.ts'
import { told } from '../src/address/race-code.ts'
import { courses, excess } from '../src/race/course.ts'
import { figure, pointFigure } from '../src/race/figures.ts'
import { stories } from '../src/race/stories.ts'
import { type Site, serveSite } from './browser/site.ts'
import { byHand } from './by-hand.ts'

describe.skipIf(!chromiumPath)(`the page ${chromiumTitle}`, () => {
  let site: Site
  let browser: Browser

  beforeAll(async () => {
    site = await serveSite()
    browser = await launchChromium()
  })

  afterAll(async () => {
    await browser?.close()
    await site?.close()
  })

  /** Opens an address; whatever goes wrong in the page, or leaves its folder, fails the test. */
  async function open(address: string, size = { width: 1280, height: 900 }): Promise<Page> {
    const page = await openPage(browser, { viewport: size })
    const faults: string[] = []
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) faults.push(message.text())
    })
    page.on('pageerror', (error) => faults.push(error.message))
    page.on('request', (request) => {
      if (!/^(blob:)?http/.test(request.url())) return
      if (!request.url().startsWith(site.url)) faults.push(`asked for ${request.url()}`)
    })
    page.on('requestfailed', (request) => faults.push(`did not get ${request.url()}`))
    onTestFinished(async () => {
      await page.close()
      expect(faults).toEqual([])
    })
    await page.goto(site.url + address)
    return page
  }

  const count = (page: Page): Promise<string | null> => page.textContent('.transport .count')
  /** The address once it has followed what is shown. */
  async function addressIn(page: Page): Promise<string> {
    await page.waitForTimeout(300)
    return `${await page.evaluate('location.hash')}`
  }
  const until = (page: Page, text: string): Promise<void> =>
    page.locator('.transport .count', { hasText: text }).waitFor()

  test.each(Object.entries(stories))('%s plays to its outcome', async (name, { facts }) => {
    const { course, racers, start, steps } = told(name)
    const { landscape } = courses[course]
    const page = await open('')
    await page.click(`[data-story="${name}"]`)
    await page.selectOption('select[name=speed]', '240')
    await until(page, `${steps} / ${steps}`)
    const shown = await page
      .locator('.facts li')
      .evaluateAll((items) => items.map((item) => item.getAttribute('data-outcome')))
    expect(shown).toEqual(facts.map(() => 'yes'))
    const standings = racers.map((racer) => {
      const theta = [...byHand(racer, landscape, start, steps)]
      return `at ${pointFigure(theta)} · loss ${figure(excess(landscape, theta))}`
    })
    expect(await page.locator('.racer .figures').allTextContents()).toEqual(standings)
  })

  test('the first load is at most 300 KB gzipped, and the other tabs are not in it', async () => {
    const page = await openPage(browser)
    const weights: Record<string, number> = {}
    page.on('response', async (response) => {
      const body = await response.body()
      weights[new URL(response.url()).pathname] = gzipSync(body).length
    })
    await page.goto(site.url)
    await page.waitForLoadState('networkidle')
    await page.close()
    const sum = Object.values(weights).reduce((sum, weight) => sum + weight, 0)
    expect(sum).toBeLessThan(300_000)
    expect(Object.keys(weights).filter((path) => /train|worker|ort|wasm/.test(path))).toEqual([])
  })

  test('an address leads back to what was shown', async () => {
    const address =
      '#race?on=beale&from=2,-1.5&steps=80&o=diffgrad,learningRate:0.05,version:2&o=sgd,learningRate:0.02,momentum:0.9,nesterov:true,lossScale:0.1&at=33&speed=20&see=1'
    const page = await open(address)
    await until(page, '33 / 80')
    expect(await addressIn(page)).toBe(address)
    await page.fill('input[name=start-x]', '1.25')
    await page.press('input[name=start-x]', 'Enter')
    await page.click('.transport [aria-label="One step on"]')
    const changed = await addressIn(page)
    expect(stateOf(changed)).toMatchObject({ start: [1.25, -1.5], at: 34, selected: 1 })
    const figures = await page.locator('.racer .figures').allTextContents()
    await page.reload()
    await until(page, '34 / 80')
    expect(await page.locator('.racer .figures').allTextContents()).toEqual(figures)
    expect(addressOf(stateOf(changed))).toBe(changed)
    await page.click('[data-tab=train]')
    await page.locator('main .train').waitFor()
    await page.goBack()
    await until(page, '34 / 80')
    expect(await addressIn(page)).toBe(changed)
  })

  test('keys play, step and move the start', async () => {
    const page = await open(
      '#race?on=himmelblau&from=0,-4&o=adam,learningRate:0.1&steps=200&speed=20',
    )
    await until(page, '0 / 200')
    await page.keyboard.press('.')
    await page.keyboard.press('.')
    await page.keyboard.press(',')
    expect(await count(page)).toBe('1 / 200')
    await page.keyboard.press('Space')
    await page.waitForFunction("Number(document.querySelector('.count').value.split(' ')[0]) > 5")
    await page.keyboard.press('Space')
    const paused = await count(page)
    await page.waitForTimeout(300)
    expect(await count(page)).toBe(paused)
    await page.focus('canvas.landscape')
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('ArrowRight')
    expect(stateOf(await addressIn(page))).toMatchObject({
      start: [0.28, -3.72],
    })
    await page.keyboard.press('End')
    expect(await count(page)).toBe('200 / 200')
  })

  test('a click moves the start, and all optimizers with it', async () => {
    const page = await open('#race?on=himmelblau&from=0,-4&o=adam&o=sgd&at=0')
    const box = await page.locator('canvas.landscape').boundingBox()
    if (!box) throw new Error('the landscape is not shown')
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 4)
    const figures = await page.locator('.racer .figures').allTextContents()
    for (const text of figures) expect(text).toMatch(/^at −?0\.0\d+, 2\.7\d+ /)
  })

  test('an option that the library refuses is refused with its words', async () => {
    const page = await open('#race?on=f1&o=adam')
    await page.click('summary')
    await page.fill('.options input[name=beta1]', '1')
    await page.press('.options input[name=beta1]', 'Enter')
    expect(await page.textContent('.options .warning')).toBe(
      'Adam: beta1 must be in [0, 1), but is 1',
    )
    expect(await page.inputValue('.options input[name=beta1]')).toBe('0.9')
  })

  test('everything that can be used has a name, on each tab and at phone width', async () => {
    const page = await open('', { width: 360, height: 740 })
    for (const tab of ['race', 'swarm', 'train']) {
      await page.click(`[data-tab=${tab}]`)
      await page.locator(`main .${tab}`).waitFor()
      const nameless = await page
        .locator('button, input, select, canvas[tabindex], canvas[role], progress')
        .evaluateAll((used) =>
          used
            .filter((one) => {
              const labels =
                one instanceof HTMLInputElement || one instanceof HTMLSelectElement
                  ? one.labels
                  : null
              const words = labels?.[0]?.textContent || one.textContent
              return !one.getAttribute('aria-label') && !words?.trim()
            })
            .map((one) => one.outerHTML),
        )
      expect(nameless).toEqual([])
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
      expect(overflow).toBe(0)
    }
  })

  test('a swarm arrives where its summary says, and its address brings it back', async () => {
    const page = await open(
      '#swarm?on=himmelblau&mode=starts&view=map&steps=120&o=adam,learningRate:0.1',
    )
    await page.locator('.standing', { hasText: 'step 120 of 120' }).waitFor()
    const summary = await page.textContent('.swarm-panel .summary')
    expect(summary).toMatch(/^(9\d|100) % at a minimum, half by step \d+$/)
    await page.reload()
    await page.locator('.standing', { hasText: 'step 120 of 120' }).waitFor()
    expect(await page.textContent('.swarm-panel .summary')).toBe(summary)
  })

  test('a click on a square of a sweep chooses its setting', async () => {
    const page = await open('#swarm?on=f1&mode=sweep&steps=20&o=adam')
    await page.locator('.standing', { hasText: 'all settings tried' }).waitFor()
    await page.click('.panorama', { position: { x: 110, y: 20 } })
    const { racers } = stateOf(await addressIn(page))
    const { learningRate, beta1 } = racers[0].options
    expect(learningRate).toBeGreaterThan(0.001)
    expect(learningRate).toBeLessThan(0.01)
    expect(beta1).toBeGreaterThan(0.99)
    expect(await page.textContent('.standing')).toBe('all settings tried') // And not again.
  })

  test('a setting that the library refuses is an empty square, and says why', async () => {
    const page = await open('#swarm?on=f1&mode=sweep&steps=20&o=sgd,nesterov:true,momentum:0.9')
    await page.locator('.standing', { hasText: 'all settings tried' }).waitFor()
    expect(await page.textContent('.swarm-panel .summary')).toBe(
      '286 of 286 settings tried, 64 starts each · 22 refused, left empty',
    )
    const canvas = page.locator('.panorama')
    const { height = 0 } = (await canvas.boundingBox()) ?? {}
    const bottom = { x: 110, y: height - 40 }
    await canvas.hover({ position: bottom })
    expect(await page.textContent('.swarm-panel .pointed')).toMatch(
      /, μ 0: refused. SGD: nesterov needs a momentum above 0$/,
    )
    await canvas.click({ position: bottom })
    expect(stateOf(await addressIn(page)).racers[0].options).toEqual({
      nesterov: true,
      momentum: 0.9,
    })
  })

  test('an error inside a frame ends the run, and is shown', async () => {
    const page = await open('#swarm?on=himmelblau&steps=2000&o=adam')
    await page.locator('button.primary', { hasText: 'Pause' }).waitFor()
    await page.evaluate(
      "performance.now = () => { delete performance.now; throw new Error('no clock') }",
    )
    await page.locator('.swarm > .warning', { hasText: 'Error: no clock' }).waitFor()
    const standing = await page.textContent('.standing')
    await page.waitForTimeout(100)
    expect(await page.textContent('.standing')).toBe(standing)
    await page.click('button.primary')
    expect(await page.textContent('.swarm > .warning')).toBe('')
    expect(await page.textContent('button.primary')).toBe('Pause')
  })

  test('two networks learn on WebAssembly, and friction is shown while they do', async () => {
    const page = await open(
      '#train?engine=wasm&steps=50&seed=3&o=diffgrad,learningRate:0.01&o=adam,learningRate:0.01',
    )
    await page.click('button.primary')
    await page.locator('.standing', { hasText: /^step \d+ of 50$/ }).waitFor()
    const losses = async (): Promise<readonly number[]> =>
      (await page.locator('.racer .figures').allTextContents()).map((text) =>
        Number(text.match(/loss ([\d.]+)/)?.[1]),
      )
    const first = await losses()
    await page.locator('button.primary', { hasText: 'Train again' }).waitFor()
    const last = await losses()
    for (const [i, loss] of last.entries()) expect(loss).toBeLessThan(first[i] - 0.3)
    const words = await page.locator('.friction-panel .hint').allTextContents()
    const mean = Number(words[0].match(/mean ξ (\d\.\d+)/)?.[1])
    expect(mean).toBeGreaterThan(0.5)
    expect(mean).toBeLessThan(0.6)
    expect(words[1]).toContain('No friction')
  })
})
