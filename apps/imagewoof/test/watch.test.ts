import { type ChildProcess, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromiumPath, chromiumTitle, launchChromium, openPage } from '@diffgrad/testing/chromium'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { LivePage } from '../src/watch/live-page.ts'
import { fileFolder, run, start, tinyNetwork } from './command.ts'
import { writePatterns } from './images.ts'

const folder = fileFolder()
const cache = join(folder, 'cache')
const data = join(folder, 'images')
const train = ['train', '--data', data, ...tinyNetwork, '--epochs', '3', '--save-every', '600']

beforeAll(() => writePatterns(data, { train: 8, validation: 4 }))

let livePage: LivePage

beforeAll(async () => {
  livePage = await LivePage.open(true, () => {})
})
afterAll(() => livePage.end('finished', ''))

interface Answer {
  readonly code: number | undefined
  readonly text: string
}

/** A GET request with a Host header. */
const request = (address: string, host: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    get(address, { headers: { host } }, (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve({ code: response.statusCode, text }))
    }).on('error', reject)
  })

test('the page loads while the main thread is blocked', async () => {
  const { address } = livePage
  const code = `fetch('${address}').then(async (r) => console.log(r.status, await r.text()))`
  // Blocks this thread until the child has the page.
  const output = execFileSync(process.execPath, ['-e', code], { encoding: 'utf8' })
  expect(output).toMatch(/^200 <!doctype html>/)
})

test('a page of a foreign name, whose address was changed to this machine, reads nothing', async () => {
  const { address } = livePage
  const { port } = new URL(address)
  for (const name of ['127.0.0.1', 'localhost'])
    expect((await request(address, `${name}:${port}`)).code).toBe(200)
  for (const host of [`evil.example:${port}`, 'evil.example', '127.0.0.1', `127.0.0.1:${port}0`]) {
    expect((await request(address, host)).code).toBe(403)
    expect((await request(`${address}events`, host)).code).toBe(403)
  }
  const own = `127.0.0.1:${port}`
  for (const path of ['etc/passwd', 'events/', '..%2f..%2fetc/passwd', '?x'])
    expect((await request(address + path, own)).code).toBe(404)
})

test('a named port in use is refused before anything is read; else another port is chosen', async () => {
  const { address } = livePage
  const { port } = new URL(address)
  const out = join(folder, 'refused')
  const missing = ['train', '--data', join(folder, 'none'), '--out', out, '--watch', port]
  const { code, errors } = await run(missing, cache)
  expect(errors).toBe(`error: --watch: port ${port} cannot be used: it is in use\n`)
  expect([code, existsSync(out)]).toEqual([1, false])
  // The default port is that of the first page, or it was in use before.
  const lines: string[] = []
  const page = await LivePage.open(true, (line) => lines.push(line))
  await page.end('finished', '')
  expect(lines).toEqual([`watch      ${page.address} (port 7007 is in use)`])
  const wrong = await run(['train', '--watch', '70000'], cache)
  expect(wrong.errors).toContain('It must be a port, a whole number from 1 to 65535')
})

/** The first match in what a process writes. */
async function waitForOutput(child: ChildProcess, pattern: RegExp): Promise<string> {
  let text = ''
  for await (const chunk of child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    text += chunk
    const match = text.match(pattern)
    if (match) return match[1]
  }
  throw new Error(`${pattern} was not written:\n${text}`)
}

test.skipIf(!chromiumPath)(
  `a page shows steps and epochs, survives a kill, and continues with resume, ${chromiumTitle}`,
  async () => {
    const out = join(folder, 'run')
    const fifo = join(folder, 'fifo')
    execFileSync('mkfifo', [fifo])
    /** Blocks the main thread before history.json is written for the n-th time. */
    const blocks = (...times: readonly number[]): Readonly<Record<string, string>> => ({
      NODE_OPTIONS: `--import=${new URL('fixtures/block-before-write.mjs', import.meta.url)}`,
      BLOCK_BEFORE_WRITE: JSON.stringify({ file: 'history.json', times, fifo }),
    })
    const release = (): Promise<void> => writeFile(fifo, '')

    const training = start([...train, '--out', out, '--watch'], cache, blocks(1, 2))
    onTestFinished(() => void training.child.kill('SIGKILL'))
    const address = await waitForOutput(training.child, /watch {6}(http:\S+)/)
    const browser = await launchChromium()
    onTestFinished(() => browser.close())
    const page = await openPage(browser)
    const faults: string[] = []
    page.on('pageerror', ({ message }) => faults.push(message))
    page.on('console', (message) => {
      // The browser reports the lost connection itself.
      if (message.type() === 'error' && !message.text().includes('net::ERR_'))
        faults.push(message.text())
    })
    const status = page.locator('#live')
    await page.goto(address)

    // The first epoch is trained, but not saved, and the main thread is blocked.
    await page.locator('#live', { hasText: 'step 3 of 9' }).waitFor()
    await page.getByText('No epoch is complete yet').waitFor()
    await page.reload()
    await page.getByRole('img', { name: 'Loss by epoch' }).first().waitFor()
    await page.getByText('Configuration', { exact: true }).click()
    await release()

    // The second epoch is trained; the first one is on the page, which keeps its details open.
    await page.locator('#live', { hasText: 'step 6 of 9' }).waitFor()
    await page.getByText('top-1 after epoch 1 of 3').waitFor()
    expect(await page.locator('details').last().getAttribute('open')).toBe('')
    training.child.kill('SIGKILL')
    await training.ended
    await page.locator('#live[data-state=disconnected]').waitFor()

    const { port } = new URL(address)
    const resumed = start(['resume', out, '--watch', port], cache, blocks(2))
    onTestFinished(() => void resumed.child.kill('SIGKILL'))
    // The checkpoint was saved after step 6.
    await page.locator('#live', { hasText: 'step 9 of 9' }).waitFor()
    await release()
    await page.locator('#live[data-state=finished]').waitFor()
    const { code, errors } = await resumed.ended
    expect([code, errors]).toEqual([0, ''])
    expect(await status.textContent()).toBe(`finished · the report is ${join(out, 'report.html')}`)

    const shown = await page.locator('#sections').innerHTML()
    const report = await openPage(browser)
    await report.goto(pathToFileURL(join(out, 'report.html')).href)
    const sections = shown.replace(/<\/?section>| open=""/g, '')
    /** Without echarts' numbers of charts, and white space between sections. */
    const comparable = (markup: string): string => markup.replace(/\bzr\d+-|\s+/g, '')
    expect(comparable(await report.locator('body').innerHTML())).toContain(comparable(sections))
    expect(faults).toEqual([])
  },
)
