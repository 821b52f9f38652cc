import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { chromiumPath, chromiumTitle, launchChromium, openPage } from '@diffgrad/testing/chromium'
import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import { formatNumber, formatPoint } from '../src/format.ts'
import { landscapeViews, lossAboveMinimum } from '../src/landscapes.ts'
import { stories, storyState } from '../src/race/stories.ts'
import { decodeState, encodeState } from '../src/url.ts'
import { referencePoint } from './reference.ts'
import { type Site, serveSite } from './site.ts'

const adamFile = '../../../packages/core/src/rules/adam.ts'

describe.skipIf(!chromiumPath)(`the page ${chromiumTitle}`, () => {
  let site: Site
  let browser: Browser

  beforeAll(async () => {
    site = await serveSite(inject('site'))
    browser = await launchChromium()
  })

  afterAll(async () => {
    await browser?.close()
    await site?.close()
  })

  /**
   * Opens a URL. Errors, warnings, failed requests and requests to other sites fail the test.
   *
   * @param options.clock - stop the page's clock: its frames and timers run by `page.clock.runFor`.
   */
  async function open(
    hash: string,
    {
      viewport = { width: 1280, height: 900 },
      clock = false,
      reducedMotion = 'no-preference' as 'no-preference' | 'reduce',
    } = {},
  ): Promise<Page> {
    const page = await openPage(browser, { viewport, reducedMotion })
    const problems: string[] = []
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) problems.push(message.text())
    })
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('request', (request) => {
      if (!/^(blob:)?http/.test(request.url())) return
      if (!request.url().startsWith(site.url)) problems.push(`request to ${request.url()}`)
    })
    page.on('requestfailed', (request) => problems.push(`request failed: ${request.url()}`))
    onTestFinished(async () => {
      await page.close()
      expect(problems).toEqual([])
    })
    if (clock) await page.clock.install({ time: 0 })
    await page.goto(site.url + hash)
    if (clock) await page.clock.pauseAt(3_600_000)
    return page
  }

  const currentStep = (page: Page): Promise<string | null> => page.textContent('.playback .count')

  const waitForStep = (page: Page, text: string): Promise<void> =>
    page.locator('.playback .count', { hasText: text }).waitFor()

  /** The hash of the URL, after its delayed update to the state that is shown. */
  async function currentHash(page: Page): Promise<string> {
    await page.waitForFunction(
      "document.querySelector('[data-tab][aria-current]').hash === location.hash",
    )
    return `${await page.evaluate('location.hash')}`
  }

  /** What axe finds: the rule and the element. */
  async function findingsOf(page: Page, options = {}): Promise<readonly string[]> {
    if (await page.evaluate("typeof axe === 'undefined'")) await page.evaluate(axe.source)
    return page.evaluate(
      `axe.run(document, ${JSON.stringify(options)}).then(({ violations }) =>
        violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html)))`,
    )
  }

  const optimizersIn = (hash: string) => {
    const state = decodeState(hash)
    return 'optimizers' in state ? state.optimizers : []
  }

  /** Waits until the page has drawn another frame. */
  const nextFrame = (page: Page): Promise<unknown> =>
    page.evaluate(
      'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))',
    )

  test('a story plays to its outcome, and each ends with all its facts', async () => {
    const page = await open('#race?', { clock: true })
    for (const [i, [name, { facts }]] of Object.entries(stories).entries()) {
      const { landscape: view, optimizers, start, steps } = storyState(name)
      const { landscape } = landscapeViews[view]
      await page.click(`[data-story="${name}"]`)
      if (i === 0) {
        await page.selectOption('select[name=speed]', '240')
        await page.clock.runFor((1000 * steps) / 240 + 100)
      } else {
        await page.focus('#main') // Not the button, which uses keys itself.
        await page.keyboard.press('End')
      }
      expect(await currentStep(page)).toBe(`${steps} / ${steps}`)
      const outcomes = await page
        .locator('.facts li')
        .evaluateAll((items) => items.map((item) => item.getAttribute('data-outcome')))
      expect({ name, outcomes }).toEqual({ name, outcomes: facts.map(() => 'yes') })
      const statuses = optimizers.map((config) => {
        const point = referencePoint(config, landscape, start, steps)
        return `at ${formatPoint(point)} · loss ${formatNumber(lossAboveMinimum(landscape, point))}`
      })
      expect(await page.locator('.optimizer-status').allTextContents()).toEqual(statuses)
      if (i > 0) continue
      const equation = await page.locator('.equation').first().textContent()
      expect(equation).toMatch(/^ξ = σ\(\|p − g\|\) friction= σ\(\|.+ − .+\|\) = 0\.50/)
    }
  })

  test('the first screen races at once, with both racers and the facts in view', async () => {
    const viewport = { width: 1366, height: 768 }
    const page = await open('', { viewport, clock: true })
    /** The number of pixels of the landscape in the color of each racer. */
    const colored = (): Promise<number[]> =>
      page.evaluate(`(() => {
        const canvas = document.querySelector('canvas.landscape')
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
        return ['#0072b2', '#d55e00'].map((color) => {
          const [r, g, b] = [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16))
          let count = 0
          for (let i = 0; i < data.length; i += 4) {
            if (data[i] === r && data[i + 1] === g && data[i + 2] === b) count++
          }
          return count
        })
      })()`)
    const before = Number.parseInt((await currentStep(page)) ?? '', 10)
    await page.clock.runFor(1000)
    const after = Number.parseInt((await currentStep(page)) ?? '', 10)
    expect(Math.abs(after - before - 40)).toBeLessThanOrEqual(1)
    await page.focus('#main')
    await page.keyboard.press('Home') // Both racers are at the start.
    for (const pixels of await colored()) expect(pixels).toBeGreaterThan(60)
    for (const fact of await page.locator('.facts li').all()) {
      const { y = Number.NaN, height = 0 } = (await fact.boundingBox()) ?? {}
      expect(y + height).toBeLessThan(viewport.height)
    }
    const still = await open('', { reducedMotion: 'reduce' })
    expect(await currentStep(still)).toBe('300 / 300')
  })

  test('the first load is at most 300 KB gzipped, without the other tabs', async () => {
    const page = await openPage(browser)
    const responses: Promise<readonly [path: string, bytes: number]>[] = []
    page.on('response', (response) => {
      const { pathname } = new URL(response.url())
      responses.push(response.body().then((body) => [pathname, gzipSync(body).length] as const))
    })
    await page.goto(site.url)
    await page.locator('main .race').waitFor()
    await page.evaluate('document.fonts.ready.then(() => undefined)')
    const weights = await Promise.all(responses)
    await page.close()
    const paths = weights.map(([path]) => path)
    expect(paths.filter((path) => /\.(js|css|woff2)$/.test(path)).length).toBeGreaterThan(2)
    expect(weights.reduce((sum, [, bytes]) => sum + bytes, 0)).toBeLessThan(300_000)
    expect(
      paths.filter((path) => /swarm|train|fine-tune|evidence|worker|ort|wasm/.test(path)),
    ).toEqual([])
  })

  test('a URL leads back to what was shown', async () => {
    const hash =
      '#race?on=beale&from=2,-1.5&steps=80&o=diffgrad,learningRate:0.05,version:2&o=sgd,learningRate:0.02,momentum:0.9,nesterov:true,lossScale:0.1&at=33&speed=20&see=1'
    const page = await open(hash)
    await waitForStep(page, '33 / 80')
    expect(await currentHash(page)).toBe(hash)
    await page.fill('input[name=start-x]', '1.25')
    await page.press('input[name=start-x]', 'Enter')
    await page.click('.playback [aria-label="One step forward"]')
    const changed = await currentHash(page)
    expect(decodeState(changed)).toMatchObject({
      start: [1.25, -1.5],
      currentStep: 34,
      selected: 1,
    })
    const statuses = await page.locator('.optimizer-status').allTextContents()
    await page.reload()
    await waitForStep(page, '34 / 80')
    expect(await page.locator('.optimizer-status').allTextContents()).toEqual(statuses)
    expect(encodeState(decodeState(changed))).toBe(changed)
    await page.click('[data-tab=train]')
    await page.locator('main .train').waitFor()
    await page.waitForURL((url) => url.hash.startsWith('#train')) // The tab has its own entry.
    await page.goBack()
    await waitForStep(page, '34 / 80')
    expect(await currentHash(page)).toBe(changed)
  })

  test('keys play, step and move the start', async () => {
    const page = await open(
      '#race?on=himmelblau&from=0,-4&o=adam,learningRate:0.1&steps=200&speed=20',
      { clock: true },
    )
    await waitForStep(page, '0 / 200')
    await page.keyboard.press('.')
    await page.keyboard.press('.')
    await page.keyboard.press(',')
    expect(await currentStep(page)).toBe('1 / 200')
    await page.keyboard.press('Space')
    await page.clock.runFor(500)
    await page.keyboard.press('Space')
    const paused = await currentStep(page)
    expect(paused).toMatch(/^(9|10|11) \/ 200$/)
    await page.clock.runFor(500)
    expect(await currentStep(page)).toBe(paused)
    await page.focus('canvas.landscape')
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('ArrowRight')
    await page.clock.runFor(500) // The delay before the URL changes.
    expect(decodeState(await currentHash(page))).toMatchObject({ start: [0.28, -3.72] })
    await page.keyboard.press('End')
    expect(await currentStep(page)).toBe('200 / 200')
  })

  test('a click moves the start of all optimizers', async () => {
    const page = await open('#race?on=himmelblau&from=0,-4&o=adam&o=sgd&at=0')
    const box = await page.locator('canvas.landscape').boundingBox()
    if (!box) throw new Error('the landscape is not visible')
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 4)
    const statuses = await page.locator('.optimizer-status').allTextContents()
    for (const status of statuses) expect(status).toMatch(/^at −?0\.0\d+, 2\.7\d+ /)
  })

  test('an invalid option is rejected with the library’s error message', async () => {
    const page = await open('#race?on=f1&o=adam')
    await page.click('summary')
    await page.fill('.options input[name=beta1]', '1')
    await page.press('.options input[name=beta1]', 'Enter')
    expect(await page.textContent('.options .warning')).toBe(
      'Adam: beta1 must be in [0, 1), but is 1',
    )
    expect(await page.inputValue('.options input[name=beta1]')).toBe('0.9')
  })

  test('axe finds nothing on any tab, and nothing scrolls sideways', async () => {
    const page = await open('', { reducedMotion: 'reduce' })
    const hashes = [
      '#race',
      '#swarm?steps=1&o=diffgrad&o=adam',
      '#train',
      '#fine-tune',
      '#evidence',
    ]
    for (const hash of hashes) {
      const tab = /\w[\w-]*/.exec(hash)?.[0]
      await page.goto(site.url + hash)
      await page.locator(`main .${tab}`).waitFor()
      await page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
      for (const width of [1366, 320]) {
        await page.setViewportSize({ width, height: 768 })
        // A theme changes nothing but colors.
        for (const [colorScheme, rules] of [
          ['light', {}],
          ['dark', { runOnly: 'color-contrast' }],
        ] as const) {
          await page.emulateMedia({ colorScheme })
          const findings = await findingsOf(page, rules)
          expect({ tab, width, colorScheme, findings }).toMatchObject({ findings: [] })
        }
        const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
        expect({ tab, width, overflow }).toMatchObject({ overflow: 0 })
      }
    }
  })

  test('the selected rule links to its paragraph, its paper and its code', async () => {
    const page = await open('#race?on=f1&o=adamw&at=3', { viewport: { width: 320, height: 740 } })
    const links = await page
      .locator('.internals .links a')
      .evaluateAll((all) => all.map((link) => link.getAttribute('href') ?? ''))
    expect(links).toEqual([
      './rule.html#adamw',
      'https://arxiv.org/abs/1711.05101',
      './code/adam.html',
    ])
    const texts = []
    for (const [link, selector] of [
      [links[0], ':target'],
      [links[2], 'code'],
    ]) {
      await page.goto(new URL(link, site.url).href)
      expect(await findingsOf(page)).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0)
      texts.push(await page.textContent(selector))
    }
    expect(texts).toEqual(['AdamW', readFileSync(new URL(adamFile, import.meta.url), 'utf8')])
  })

  test('a swarm reaches the minima, and its URL leads back to the same result', async () => {
    const page = await open(
      '#swarm?on=himmelblau&mode=starts&view=map&steps=120&o=adam,learningRate:0.1',
    )
    await page.locator('.status', { hasText: 'step 120 of 120' }).waitFor()
    const summary = await page.textContent('.swarm-panel .summary')
    expect(summary).toMatch(/^(9\d|100) % at a minimum, half by step \d+$/)
    await page.reload()
    await page.locator('.status', { hasText: 'step 120 of 120' }).waitFor()
    expect(await page.textContent('.swarm-panel .summary')).toBe(summary)
  })

  test('a click on a cell of a sweep selects its options', async () => {
    const page = await open('#swarm?on=f1&mode=sweep&steps=20&o=adam')
    await page.locator('.status', { hasText: 'all settings tried' }).waitFor()
    await page.click('.swarm-canvas', { position: { x: 110, y: 20 } })
    const optimizers = optimizersIn(await currentHash(page))
    const { learningRate, beta1 } = optimizers[0].options
    expect(learningRate).toBeGreaterThan(0.001)
    expect(learningRate).toBeLessThan(0.01)
    expect(beta1).toBeGreaterThan(0.99)
    expect(await page.textContent('.status')).toBe('all settings tried') // The sweep did not restart.
  })

  test('a cell with invalid options is empty, and shows the error message', async () => {
    const page = await open('#swarm?on=f1&mode=sweep&steps=20&o=sgd,nesterov:true,momentum:0.9')
    await page.locator('.status', { hasText: 'all settings tried' }).waitFor()
    expect(await page.textContent('.swarm-panel .summary')).toBe(
      '286 of 286 settings tried, 64 starts each · 22 refused, left empty',
    )
    const canvas = page.locator('.swarm-canvas')
    const { height = 0 } = (await canvas.boundingBox()) ?? {}
    const bottom = { x: 110, y: height - 40 }
    await canvas.hover({ position: bottom })
    expect(await page.textContent('.swarm-panel .details')).toMatch(
      /, μ 0: refused. SGD: nesterov needs a momentum above 0$/,
    )
    await canvas.click({ position: bottom })
    expect(optimizersIn(await currentHash(page))[0].options).toEqual({
      nesterov: true,
      momentum: 0.9,
    })
  })

  test('an error inside a frame stops the run, and is shown', async () => {
    const page = await open('#swarm?on=himmelblau&steps=2000&o=adam')
    await page.locator('button.primary', { hasText: 'Pause' }).waitFor()
    await page.evaluate(
      "performance.now = () => { delete performance.now; throw new Error('no clock') }",
    )
    await page.locator('.swarm > .warning', { hasText: 'Error: no clock' }).waitFor()
    const status = await page.textContent('.status')
    await nextFrame(page)
    expect(await page.textContent('.status')).toBe(status)
    await page.click('button.primary')
    expect(await page.textContent('.swarm > .warning')).toBe('')
    expect(await page.textContent('button.primary')).toBe('Pause')
  })

  test('draws of equal contenders change their ranking, and give the published gap in half of all', async () => {
    const page = await open('#evidence')
    await page.locator('.evidence .status').waitFor()
    const cells = page.locator('[data-kind=measured] tbody tr')
    expect((await cells.allTextContents()).slice(0, 3)).toEqual([
      'original84.38 1st84.94 1st83.45 2nd',
      'fixed83.42 3rd84.17 3rd84.08 1st',
      'Adam84.27 2nd84.68 2nd82.94 3rd',
    ])
    const first = await page.textContent('.evidence .status')
    await page.keyboard.press('Space')
    expect(await page.textContent('.evidence .status')).toMatch(/^draw 2: /)
    await page.click('text=1,000 at once')
    const summary = (await page.textContent('.evidence .summary')) ?? ''
    // The range of three normal deviates of 0.59 exceeds 0.96 with probability 0.48.
    const [, share] = summary.match(/\((\d+) %\)/) ?? []
    expect(Math.abs(Number(share) - 48)).toBeLessThanOrEqual(4)
    const shares = await page.locator('.orders .share').allTextContents()
    for (const text of shares) expect(Math.abs(Number.parseInt(text, 10) - 100 / 6)).toBeLessThan(4)
    const hash = await currentHash(page)
    expect(hash).toBe('#evidence?draws=1002&runs=1')
    await page.selectOption('select[name=runs]', '25')
    expect(await page.textContent('.evidence .summary')).toMatch(/^In 0 of 1,002 draws/)
    await page.click('text=Start again')
    await page.selectOption('select[name=runs]', '1')
    expect(await page.textContent('.evidence .status')).toBe(first)
  })

  test('two networks learn on WebAssembly, and their friction is shown', async () => {
    const page = await open(
      '#train?engine=wasm&steps=28&seed=3&o=diffgrad,learningRate:0.01&o=adam,learningRate:0.01',
    )
    await page.click('button.primary')
    await page.locator('.status', { hasText: /^step \d+ of 28$/ }).waitFor()
    await page.locator('button.primary', { hasText: 'Train again' }).waitFor()
    const statuses = await page.locator('.optimizer-status').allTextContents()
    const untrained = Math.log(10) // The cross-entropy of equal probabilities of ten classes.
    for (const status of statuses) {
      expect(Number(status.match(/loss ([\d.]+)/)?.[1])).toBeLessThan(untrained - 0.1)
    }
    const hints = await page.locator('.friction-panel .hint').allTextContents()
    const mean = Number(hints[0].match(/mean ξ (\d\.\d+)/)?.[1])
    expect(mean).toBeGreaterThan(0.5)
    expect(mean).toBeLessThan(0.6)
    expect(hints[1]).toContain('No friction')
  })
})
