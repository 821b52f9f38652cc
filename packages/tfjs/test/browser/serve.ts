import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

const wasm = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))

/** The page's script, with all that it imports. */
async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [here('page.ts')],
    alias: { vitest: here('vitest.ts') },
    conditions: ['@diffgrad/source'],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    logLevel: 'error',
  })
  return outputFiles[0].text
}

let script: Promise<string> | undefined

/** Serves the page at `/`, and once more at `/isolated`, where it may share memory between threads. */
export async function serve(): Promise<Server> {
  script ??= bundle()
  const text = await script
  const server = createServer(({ url = '/' }, response) => {
    if (url === '/isolated') {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
    }
    if (url === '/' || url === '/isolated') {
      response.setHeader('Content-Type', 'text/html')
      response.end('<!doctype html><title>Laws</title><script src="/page.js"></script>')
    } else if (url === '/page.js') {
      response.setHeader('Content-Type', 'text/javascript')
      response.end(text)
    } else if (url.startsWith('/wasm/')) {
      response.setHeader('Content-Type', 'application/wasm')
      response.end(readFileSync(join(wasm, url.slice('/wasm/'.length))))
    } else {
      response.statusCode = 404
      response.end()
    }
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return server
}

/** Where a server listens. */
export const originOf = (server: Server): string =>
  `http://127.0.0.1:${(server.address() as AddressInfo).port}` // It listens on a port, not a pipe.
