import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** A page under a content security policy. */
export interface Policy {
  readonly path: string
  readonly content: string
  /** Whether the page is cross-origin isolated, and so may share memory between threads. */
  readonly isolated: boolean
}

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

/** The page's script, with all that it imports. */
export async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [here('page.ts')],
    alias: { vitest: here('vitest.ts') },
    conditions: ['@diffgrad/source'],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
  })
  return outputFiles[0].text
}

/** Serves one page for each policy, all with the same script. */
export async function serve(policies: readonly Policy[], script: string): Promise<Server> {
  const server = createServer(({ url }, response) => {
    const policy = policies.find(({ path }) => path === url)
    if (policy) {
      response.setHeader('Content-Security-Policy', policy.content)
      if (policy.isolated) {
        response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
        response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
      }
      response.setHeader('Content-Type', 'text/html')
      response.end('<!doctype html><title>Laws</title><script src="/page.js"></script>')
    } else if (url === '/page.js') {
      response.setHeader('Content-Type', 'text/javascript')
      response.end(script)
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
