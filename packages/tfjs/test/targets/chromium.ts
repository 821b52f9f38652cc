import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { launchChromium, openPage, swiftShaderFlags } from '@diffgrad/testing/chromium'
import { build } from 'esbuild'
import type { CheckResult } from '../run-checks.ts'

/** A browser and the server of its page. */
interface PageServer {
  readonly browser: Awaited<ReturnType<typeof launchChromium>>
  readonly server: Server
  readonly origin: string
}

let pageServer: Promise<PageServer> | undefined

/** Runs on a backend in a page of Chromium. All calls share one browser; see `closeBrowser`. */
export async function runInChromium(backend: string, path = '/'): Promise<readonly CheckResult[]> {
  pageServer ??= start()
  const { browser, origin } = await pageServer
  const page = await openPage(browser)
  page.on('pageerror', (error) => console.error(error))
  try {
    await page.goto(origin + path)
    return await page.evaluate<readonly CheckResult[]>(`runChecks(${JSON.stringify(backend)})`)
  } finally {
    await page.close()
  }
}

/** Closes the browser and its server, if they were started. */
export async function closeBrowser(): Promise<void> {
  const started = await pageServer
  pageServer = undefined
  await started?.browser.close()
  started?.server.close()
}

async function start(): Promise<PageServer> {
  const server = await serve(await bundle())
  const { port } = server.address() as AddressInfo // It listens on a port, not a pipe.
  const browser = await launchChromium(swiftShaderFlags)
  return { browser, server, origin: `http://127.0.0.1:${port}` }
}

const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

/** The script of the page, with everything that it imports. */
async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [pathOf('page.ts')],
    alias: { vitest: pathOf('vitest-in-page.ts') },
    conditions: ['@diffgrad/source'],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    logLevel: 'error',
  })
  return outputFiles[0].text
}

const wasmFolder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))

/** Serves the page at `/`, and at `/isolated` with the headers that allow shared memory. */
async function serve(script: string): Promise<Server> {
  const server = createServer(({ url = '/' }, response) => {
    const send = (type: string, body: string | Buffer): void => {
      response.setHeader('Content-Type', type)
      response.end(body)
    }
    if (url === '/isolated') {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
    }
    if (url === '/' || url === '/isolated') {
      send('text/html', '<!doctype html><title>Checks</title><script src="/page.js"></script>')
    } else if (url === '/page.js') {
      send('text/javascript', script)
    } else if (url.startsWith('/wasm/')) {
      send('application/wasm', readFileSync(join(wasmFolder, url.slice('/wasm/'.length))))
    } else {
      response.statusCode = 404
      response.end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}
