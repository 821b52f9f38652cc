import { rmSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { launchChromium } from '@diffgrad/testing/chromium'
import { buildSite, serveSite } from './site.ts'

// Prints frame rates and the speed of a swarm, measured in the page: `pnpm --filter playground measure`.

/** Six optimizers on a landscape of two variables. */
const race =
  '#race?on=himmelblau&from=0,-4&steps=2000&speed=60' +
  '&o=diffgrad,learningRate:0.01&o=diffrgrad,learningRate:0.002&o=diffmod,learningRate:0.01' +
  '&o=adam,learningRate:0.01&o=adam,learningRate:0.005&o=sgd,learningRate:0.001,momentum:0.9'

/** One swarm of 40,000 starts. */
const swarm = '#swarm?on=beale&steps=300&o=diffgrad,learningRate:0.05'

/** Evaluates in the page to the durations of 290 frames, in milliseconds. */
const frameDurations = `new Promise((resolve) => {
  const durations = []
  let previous = performance.now()
  const frame = (now) => {
    durations.push(now - previous)
    previous = now
    if (durations.length < 300) requestAnimationFrame(frame)
    else resolve(durations.slice(10))
  }
  requestAnimationFrame(frame)
})`

function describeFrames(durations: readonly number[]): string {
  const sorted = durations.toSorted((a, b) => a - b)
  const mean = sorted.reduce((sum, duration) => sum + duration, 0) / sorted.length
  const percentile = sorted[Math.floor(0.95 * sorted.length)]
  return `${(1000 / mean).toFixed(1)} frames a second, 95 % within ${percentile.toFixed(1)} ms`
}

const built = await buildSite()
const site = await serveSite(built)
const browser = await launchChromium()
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  await page.goto(site.url + race)
  const idle = await page.evaluate<number[]>(frameDurations)
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable')
  const taskSeconds = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics')
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN
  }
  await page.keyboard.press('Space')
  const before = await taskSeconds()
  const racing = await page.evaluate<number[]>(frameDurations)
  const perFrame = (1000 * ((await taskSeconds()) - before)) / racing.length
  await page.goto('about:blank')
  await page.goto(site.url + swarm)
  await page.locator('.status', { hasText: 'step 300 of 300' }).waitFor()
  const speed = await page.textContent('.speed')
  console.log(`${browser.version()}, without a GPU, on ${cpus().length} × ${cpus()[0].model}`)
  console.log(`load of the machine: ${loadavg()[0].toFixed(1)}`)
  console.log(`nothing moving: ${describeFrames(idle)}`)
  console.log(
    `six optimizers racing: ${describeFrames(racing)}, ${perFrame.toFixed(1)} ms of work in each`,
  )
  console.log(`a swarm: ${speed}`)
} finally {
  await browser.close()
  await site.close()
  rmSync(built, { recursive: true })
}
