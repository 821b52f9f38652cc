import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, build } from 'esbuild'
import { onTestFinished } from 'vitest'

/** Bundles a program of the tests, as a user's bundler would, and gives its path. */
export async function bundle(program: string, options: BuildOptions = {}): Promise<string> {
  const here = new URL('.', import.meta.url).pathname
  const folder = mkdtempSync(join(here, '..', 'node_modules', '.bundled-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const outfile = join(folder, 'program.mjs')
  await build({
    entryPoints: [join(here, 'fixtures', program)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    conditions: ['@diffgrad/source'],
    external: ['onnxruntime-node', 'onnxruntime-web'],
    ...options,
  })
  return outfile
}
