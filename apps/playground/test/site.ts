import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, preview } from 'vite'

/** A local server of the built page. */
export interface Site {
  readonly url: string
  close(): Promise<void>
}

const root = fileURLToPath(new URL('..', import.meta.url))

/** Builds the page, and serves it below a path of a local server. */
export async function serveSite(base = '/some/folder/'): Promise<Site> {
  const outDir = mkdtempSync(join(tmpdir(), 'playground-'))
  await build({ root, logLevel: 'error', build: { outDir, emptyOutDir: true } })
  const server = await preview({
    root,
    base,
    logLevel: 'error',
    build: { outDir },
    preview: { port: 0, host: '127.0.0.1' },
  })
  const url = server.resolvedUrls?.local[0]
  if (!url) throw new Error('the server of the page has no address')
  return {
    url,
    async close() {
      await server.close()
      rmSync(outDir, { recursive: true })
    },
  }
}
