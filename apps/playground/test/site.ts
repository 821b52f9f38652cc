import { mkdtempSync } from 'node:fs'
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

/** Builds the page, and returns its folder, which the caller removes. */
export async function buildSite(): Promise<string> {
  const outDir = mkdtempSync(join(tmpdir(), 'playground-'))
  await build({ root, logLevel: 'error', build: { outDir, emptyOutDir: true } })
  return outDir
}

/** Serves a built page below a path of a local server. */
export async function serveSite(
  outDir: string,
  { headers = {} }: { readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Site> {
  const server = await preview({
    root,
    base: '/some/folder/',
    logLevel: 'error',
    build: { outDir },
    preview: { port: 0, host: '127.0.0.1', headers },
  })
  const url = server.resolvedUrls?.local[0]
  if (!url) throw new Error('the server of the page has no address')
  return { url, close: () => server.close() }
}
