import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'
import { onTestFinished } from 'vitest'

/** Bundles a program of `fixtures` until the test ends, and returns the path of the bundle. */
export async function bundle(program: string, options: BuildOptions = {}): Promise<string> {
  const here = fileURLToPath(new URL('.', import.meta.url))
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
