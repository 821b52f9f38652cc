import type { Browser } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { firefoxPath, firefoxTitle, launchFirefox } from './firefox.ts'
import { type Site, serveSite } from './site.ts'

describe.skipIf(!firefoxPath)(`the page ${firefoxTitle}`, () => {
  let site: Site
  let browser: Browser

  beforeAll(async () => {
    site = await serveSite(inject('site'))
    browser = await launchFirefox()
  })

  afterAll(async () => {
    await browser?.close()
    await site?.close()
  })

  test('the race moves, and training on WebAssembly lowers the loss', async () => {
    const page = await browser.newPage()
    page.setDefaultTimeout(100_000)
    const problems: string[] = []
    page.on('console', (message) => {
      if (['error', 'warn'].includes(message.type())) problems.push(message.text())
    })
    page.on('pageerror', (error) => problems.push(`${error}`))
    await page.goto(site.url)
    await page.waitForFunction(
      "Number.parseInt(document.querySelector('.playback .count')?.textContent) > 10",
    )
    await page.goto(`${site.url}#train?engine=wasm&steps=10&seed=3`)
    await page.waitForSelector('main .train')
    const losses = await page.evaluate(`new Promise((resolve) => {
      const losses = []
      const status = document.querySelector('.optimizer-status')
      new MutationObserver(() => {
        losses.push(Number(/loss ([\\d.]+)/.exec(status.textContent)?.[1]))
      }).observe(status, { childList: true })
      const button = document.querySelector('button.primary')
      new MutationObserver(() => {
        if (button.textContent === 'Train again') resolve(losses)
      }).observe(button, { childList: true })
      button.click()
    })`)
    if (!Array.isArray(losses)) throw new TypeError('the page returned no losses')
    expect(losses.length).toBeGreaterThan(1)
    expect(losses.at(-1)).toBeLessThan(losses[0])
    expect(problems).toEqual([])
  })
})
