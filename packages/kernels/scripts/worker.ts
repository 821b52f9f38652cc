import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'

/** Returns the path and source of the module that holds the worker's code as a string. */
export function workerModule(): readonly [path: string, source: string] {
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(new URL('../src/threads/worker.ts', import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
  })
  const [{ text }] = outputFiles
  return [
    'worker.ts',
    `// Written by scripts/generate.ts.
export const workerSource: string = ${JSON.stringify(text.trim())}
`,
  ]
}
