import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'
import { onTestFinished } from 'vitest'

/**
 * Bundles a program of the folder `fixtures` until the test ends: a worker, or a process, which starts faster than
 * from its sources. Native packages stay outside.
 *
 * @param test - the `import.meta.url` of the test.
 * @returns the path of the bundle.
 */
export async function bundle(
  test: string,
  program: string,
  options: BuildOptions = {},
): Promise<string> {
  const tests = fileURLToPath(new URL('.', test))
  const folder = mkdtempSync(join(tests, '..', 'node_modules', '.bundled-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const outfile = join(folder, 'program.mjs')
  await build({
    entryPoints: [join(tests, 'fixtures', program)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    conditions: ['@diffgrad/source'],
    external: ['@tensorflow/*', 'koffi', 'onnxruntime-node', 'onnxruntime-web'],
    ...options,
  })
  return outfile
}
