import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** The bundled command line, which starts faster than the sources. */
    readonly main: string
  }
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Bundles the command line and its worker threads once for all tests. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(here('../node_modules/.bundled-'))
  await build({
    entryPoints: [
      here('../src/main.ts'),
      here('../src/data/loader/worker.ts'),
      here('../src/engine/engine-worker.ts'),
      here('../src/watch/server.ts'),
    ],
    entryNames: '[name]',
    outdir: folder,
    bundle: true,
    splitting: true, // What a command does not need is not parsed.
    format: 'esm',
    platform: 'node',
    conditions: ['@diffgrad/source'],
    external: [
      'bullmq',
      'esbuild',
      'ioredis',
      'koffi',
      'sharp',
      '@imagemagick/magick-wasm',
      'onnxruntime-node',
      'webgpu',
      '@xenova/transformers',
      'tsx/*',
    ],
    // Bundled CommonJS modules call `require` for Node's modules.
    banner: {
      js: "import * as module from 'node:module'; const require = module.createRequire(import.meta.url)",
    },
    logLevel: 'error',
  })
  await build({
    entryPoints: [here('../src/export/page-script.ts')],
    outdir: folder,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    logLevel: 'error',
  })
  provide('main', join(folder, 'main.js'))
  return () => rm(folder, { recursive: true })
}
