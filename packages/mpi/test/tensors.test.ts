import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { build } from 'esbuild'
import { expect, onTestFinished, test } from 'vitest'
import { shareRanks } from '../src/index.ts'
import { trainTensors } from './fixtures/tensors.ts'

/** Bundles the program of a worker until the test ends. */
async function bundle(program: string): Promise<string> {
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
    external: ['@tensorflow/*'],
  })
  return outfile
}

test('two ranks of TensorFlow.js, each a thread, equal one with accumulate 2, bit for bit', async () => {
  const one = await trainTensors(shareRanks(1), 0)
  const shared = shareRanks(2)
  const worker = new Worker(await bundle('tensors.ts'), { workerData: shared })
  const [first, [second]] = await Promise.all([trainTensors(shared, 0), once(worker, 'message')])
  expect(first).toEqual(one)
  expect(second).toEqual(one)
  expect(one[0]).not.toBe(1)
})
