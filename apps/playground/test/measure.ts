import { cpus, loadavg } from 'node:os'
import { launchChromium } from '@diffgrad/testing/chromium'
import { serveSite } from './browser/site.ts'

// Prints how fast the page is, as measured in the page: `pnpm --filter playground measure`.

/** Six optimizers on a landscape of two variables. */
const race =
  '#race?on=himmelblau&from=0,-4&steps=2000&speed=60' +
  '&o=diffgrad,learningRate:0.01&o=diffrgrad,learningRate:0.002&o=diffmod,learningRate:0.01' +
  '&o=adam,learningRate:0.01&o=adam,learningRate:0.005&o=sgd,learningRate:0.001,momentum:0.9'

/** One swarm of 40,000 starts. */
const swarm = '#swarm?on=beale&steps=300&o=diffgrad,learningRate:0.05'

/** In the page: the times between frames while the race is played, in milliseconds. */
const frames = `new Promise((resolve) => {
  const times = []
  let before = performance.now()
  const frame = (now) => {
    times.push(now - before)
    before = now
    if (times.length < 300) requestAnimationFrame(frame)
    else resolve(times.slice(10))
  }
  requestAnimationFrame(frame)
})`

/** Times between frames, in words. */
function summed(times: readonly number[]): { readonly count: number; readonly text: string } {
  const sorted = times.toSorted((a, b) => a - b)
  const mean = sorted.reduce((sum, time) => sum + time, 0) / sorted.length
  const late = sorted[Math.floor(0.95 * sorted.length)]
  const rate = (1000 / mean).toFixed(1)
  return { count: times.length, text: `${rate} frames a second, 95 % within ${late.toFixed(1)} ms` }
}

const site = await serveSite()
const browser = await launchChromium()
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  await page.goto(site.url + race)
  const still = summed(await page.evaluate<number[]>(frames))
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable')
  const busy = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics')
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN
  }
  await page.keyboard.press('Space')
  const before = await busy()
  const racing = summed(await page.evaluate<number[]>(frames))
  const spent = (1000 * ((await busy()) - before)) / racing.count
  await page.goto('about:blank')
  await page.goto(site.url + swarm)
  await page.locator('.standing', { hasText: 'step 300 of 300' }).waitFor()
  const pace = await page.textContent('.pace')
  console.log(`${browser.version()}, without a GPU, on ${cpus().length} × ${cpus()[0].model}`)
  console.log(`load of the machine: ${loadavg()[0].toFixed(1)}`)
  console.log(`nothing moving: ${still.text}`)
  console.log(`six optimizers racing: ${racing.text}, ${spent.toFixed(1)} ms of work in each`)
  console.log(`a swarm: ${pace}`)
} finally {
  await browser.close()
  await site.close()
}
