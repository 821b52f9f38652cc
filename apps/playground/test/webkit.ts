import { spawn } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { buildSite, serveSite } from './site.ts'

// Shows in WebKit that the race moves, every tab opens and training lowers the loss, by WebDriver: on Linux WebKitGTK
// (Debian's webkit2gtk-driver, with xvfb where there is no display), on macOS Safari, whose settings must allow
// automation. `pnpm --filter playground webkit [folder for screenshots]`.

const [folder] = process.argv.slice(2)

/** A driver, and what it needs to know of its browser. */
interface Driver {
  readonly command: string
  arguments(port: number): readonly string[]
  readonly capabilities: Readonly<Record<string, unknown>>
}

const miniBrowser = ['x86_64', 'aarch64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/webkit2gtk-4.1/MiniBrowser`)
  .find((path) => existsSync(path))

const webKitGtk: Driver = {
  command: '/usr/bin/WebKitWebDriver',
  arguments: (port) => [`--port=${port}`],
  capabilities: {
    'webkitgtk:browserOptions': { binary: miniBrowser, args: ['--automation'] },
  },
}
const safari: Driver = {
  command: '/usr/bin/safaridriver',
  arguments: (port) => ['--port', `${port}`],
  capabilities: { browserName: 'safari' },
}

const driver = [webKitGtk, safari].find(({ command }) => existsSync(command))
const xvfb = '/usr/bin/xvfb-run'
const needsXvfb = driver === webKitGtk && process.env.DISPLAY === undefined
if (!driver || (needsXvfb && !existsSync(xvfb))) {
  console.error(
    'webkit: nothing was run, because no WebKit is installed: on Debian, apt install webkit2gtk-driver xvfb',
  )
  process.exit(1)
}

/** A port that is free now. */
const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

const port = await freePort()

/** Sends a command of WebDriver, and returns its value. @throws Error with the message of the driver. */
async function send(method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    ...(body && { body: JSON.stringify(body) }),
  })
  const { value } = await response.json()
  if (!response.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`)
  return value
}

/** Waits until the driver listens, for at most 20 seconds. */
async function started(): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const ready = await send('GET', '/status').then(
      () => true,
      () => false,
    )
    if (ready) return
    await wait(200)
  }
  throw new Error(`${driver?.command}: does not listen`)
}

/** Resolves to the text of an element that matches, once the text matches, too. */
const textOf = `const textOf = async (selector, pattern = /./) => {
  for (;;) {
    const text = document.querySelector(selector)?.textContent
    if (text && pattern.test(text)) return text
    await new Promise(requestAnimationFrame)
  }
}`

const site = await buildSite()
const server = await serveSite(site)
const command = [driver.command, ...driver.arguments(port)]
const [program, ...args] = needsXvfb ? [xvfb, '-a', ...command] : command
// A group of its own, which ends with all that the driver has started.
const child = spawn(program, args, { stdio: 'ignore', detached: true })
try {
  await started()
  const session = Object(
    await send('POST', '/session', { capabilities: { alwaysMatch: driver.capabilities } }),
  )
  const path = `/session/${session.sessionId}`
  /** Runs the body of an async function in the page. */
  const run = (body: string): Promise<unknown> =>
    send('POST', `${path}/execute/async`, {
      script: `const done = arguments[0]; ${textOf}; (async () => { ${body} })().then(done, (e) => done(String(e)))`,
      args: [],
    })
  const screenshot = async (name: string): Promise<void> => {
    if (folder === undefined) return
    const png = await send('GET', `${path}/screenshot`)
    writeFileSync(`${folder}/webkit-${name}.png`, Buffer.from(String(png), 'base64'))
  }
  const { browserName, browserVersion } = session.capabilities
  console.log(`${browserName} ${browserVersion}`)
  await send('POST', `${path}/timeouts`, { script: 120_000, pageLoad: 120_000 })
  await send('POST', `${path}/window/rect`, { width: 1366, height: 768 })
  await send('POST', `${path}/url`, { url: server.url })
  const step = await run("return textOf('.playback .count', /^[1-9]\\d /)")
  console.log(`the race moves: step ${step}`)
  for (const tab of ['race', 'swarm', 'train', 'fine-tune', 'evidence']) {
    const title = await run(
      `document.querySelector('[data-tab=${tab}]').click(); return textOf('main .${tab} h1')`,
    )
    await screenshot(tab)
    console.log(`${tab}: ${title}`)
  }
  await send('POST', `${path}/url`, { url: `${server.url}#train?engine=wasm&steps=10&seed=3` })
  const losses = await run(`await textOf('main .train h1')
    const losses = []
    const status = document.querySelector('.train .optimizer-status')
    new MutationObserver(() => losses.push(parseFloat(status.textContent.replace('loss ', ''))))
      .observe(status, { childList: true })
    document.querySelector('.train button.primary').click()
    await textOf('.train button.primary, .train .warning', /Train again|rror/)
    return losses`)
  const [first, last] = Array.isArray(losses) ? [losses[0], losses.at(-1)] : []
  console.log(`training on WebAssembly: loss ${first} → ${last}`)
  if (!(last < first)) throw new Error(`training on WebAssembly: the loss did not fall: ${losses}`)
  await send('DELETE', path)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  if (child.pid !== undefined) process.kill(-child.pid)
  await server.close()
  rmSync(site, { recursive: true })
}
