import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { launchChromium, swiftShaderFlags } from '@diffgrad/testing/chromium'
import { build } from 'esbuild'
import type { Page } from 'playwright-core'
import type { Bench, Cost } from './page.ts'

/** A page with one contender. */
export class PageRunner {
  readonly #page: Page

  constructor(page: Page) {
    this.#page = page
  }

  prepare(backend: string, optimizer: string, workload: string): Promise<void> {
    return this.#call('prepare', backend, optimizer, workload)
  }

  /** Milliseconds a step. */
  time(steps: number): Promise<number> {
    return this.#call('time', steps)
  }

  cost(steps: number): Promise<Cost> {
    return this.#call('cost', steps)
  }

  async end(): Promise<void> {
    await this.#page.close()
  }

  #call<K extends keyof Bench>(name: K, ...args: Parameters<Bench[K]>): ReturnType<Bench[K]> {
    // What the page answers to a text has no type.
    return this.#page.evaluate(`bench.${name}(...${JSON.stringify(args)})`) as ReturnType<Bench[K]>
  }
}

/** Serves the page of the benchmark, and opens a browser, until they are closed. */
export async function openBrowser(): Promise<{
  readonly page: () => Promise<PageRunner>
  readonly close: () => Promise<void>
}> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page.ts', import.meta.url))],
    conditions: ['@diffgrad/source'],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    logLevel: 'error',
  })
  const server = createServer(({ url }, response) => {
    const isScript = url === '/page.js'
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? outputFiles[0].text : '<!doctype html><script src="/page.js"></script>')
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo // It listens on a port, not a pipe.
  const browser = await launchChromium(swiftShaderFlags)
  return {
    async page() {
      const page = await browser.newPage()
      await page.goto(`http://127.0.0.1:${port}/`)
      return new PageRunner(page)
    },
    async close() {
      await browser.close()
      server.close()
    },
  }
}
