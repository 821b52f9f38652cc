import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { launchChromium, swiftShaderFlags } from '@diffgrad/testing/chromium'
import { build } from 'esbuild'
import type { Page } from 'playwright-core'
import type { TimedOptimizer } from '../child-process.ts'
import type { DispatchCost, PageBench } from './page.ts'

/** One optimizer in a page of its own. */
export class BenchmarkPage implements TimedOptimizer {
  readonly #page: Page

  constructor(page: Page) {
    this.#page = page
  }

  prepare(backend: string, optimizer: string, workload: string): Promise<void> {
    return this.#call('prepare', backend, optimizer, workload)
  }

  /** Measures the milliseconds per step. */
  time(steps: number): Promise<number> {
    return this.#call('time', steps)
  }

  /** Counts GPU calls per step. */
  cost(steps: number): Promise<DispatchCost> {
    return this.#call('cost', steps)
  }

  async end(): Promise<void> {
    await this.#page.close()
  }

  #call<K extends keyof PageBench>(
    name: K,
    ...args: Parameters<PageBench[K]>
  ): ReturnType<PageBench[K]> {
    // `evaluate` of a string has no result type.
    return this.#page.evaluate(`bench.${name}(...${JSON.stringify(args)})`) as ReturnType<
      PageBench[K]
    >
  }
}

/** Starts a browser, and a server of the benchmark page. */
export async function startBrowser(): Promise<{
  readonly openPage: () => Promise<BenchmarkPage>
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
  const { port } = server.address() as AddressInfo // A server on a port, not on a pipe, has an address with a port.
  const browser = await launchChromium(swiftShaderFlags)
  return {
    async openPage() {
      const page = await browser.newPage()
      await page.goto(`http://127.0.0.1:${port}/`)
      return new BenchmarkPage(page)
    },
    async close() {
      await browser.close()
      server.close()
    },
  }
}
