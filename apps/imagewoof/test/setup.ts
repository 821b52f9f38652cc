import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import type { TestProject } from 'vitest/node'
import type { writeBackbone } from './fixtures/tiny-backbone.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The bundled command line, which starts faster than the sources. */
    readonly main: string
    /** The folder of a backbone that is built and trained faster than a named network. */
    readonly backbone: string
  }
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Bundles the command line, and writes a backbone, once for all tests. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(here('../node_modules/.bundled-'))
  await bundle(folder)
  const backbone = join(folder, 'backbone')
  const builder: { writeBackbone: typeof writeBackbone } = await import(
    pathToFileURL(join(folder, 'tiny-backbone.js')).href
  )
  await builder.writeBackbone(backbone)
  provide('main', join(folder, 'main.js'))
  provide('backbone', backbone)
  return () => rm(folder, { recursive: true })
}

/** Bundles the command line, its worker threads, the builder of the backbone, and the script of exported pages. */
async function bundle(folder: string): Promise<void> {
  await build({
    entryPoints: [
      here('../src/main.ts'),
      here('../src/data/loader/worker.ts'),
      here('../src/engine/engine-worker.ts'),
      here('../src/watch/server.ts'),
      here('fixtures/tiny-backbone.ts'),
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
}
