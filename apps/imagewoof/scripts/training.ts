import { cpus } from 'node:os'
import { seeded } from '@diffgrad/onnx'
import { resolveConfig } from '../src/config/config.ts'
import type { Batch } from '../src/data/batch.ts'
import { openEngine } from '../src/engine/engine-thread.ts'
import { newModel } from '../src/model/network.ts'
import { RankGroup } from '../src/rank-group.ts'
import { Screen } from '../src/terminal/screen.ts'
import { openData, openSession } from '../src/training/session.ts'

// Measures whether training waits for the loader: `pnpm --filter imagewoof bench:training [data] [size]`.
// The same engine trains alternately on batches of the loader and on a constant batch in memory.
const [data = 'shapes', size = '64'] = process.argv.slice(2)
const [rounds, steps] = [5, 10]
const config = resolveConfig({ data, size: Number(size), epochs: rounds + 1 })
const { signal } = new AbortController()
const context = { screen: new Screen(process.stdout), signal, ranks: new RankGroup(signal) }
const dataset = await openData(config, context)
const { loader, model, close } = await openSession(config, dataset, newModel)
const engine = await openEngine(config, loader.batchesPerEpoch, model)

const random = seeded(1)
const classes = dataset.classes.length
const constantBatch: Batch = {
  images: Float32Array.from({ length: config.batch * 3 * config.size ** 2 }, () => random.normal()),
  targets: Float32Array.from({ length: config.batch * classes }, (_, i) =>
    i % classes === Math.floor(i / classes) % classes ? 1 : 0,
  ),
  labels: Array.from({ length: config.batch }, (_, i) => i % classes),
}

async function* constantBatches(): AsyncGenerator<Batch> {
  for (;;) yield constantBatch
}

/** Images per second. */
async function measure(batches: AsyncIterable<Batch>): Promise<number> {
  let [count, start] = [-1, 0]
  for await (const batch of batches) {
    if (++count === 0) start = performance.now() // Excludes the wait for the first batch.
    if (count === steps) break
    await engine.step(batch)
    await new Promise(setImmediate)
  }
  return (1000 * steps * config.batch) / (performance.now() - start)
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

await measure(constantBatches())
const [loaded, constant]: [number[], number[]] = [[], []]
for (let round = 0; round < rounds; round++) {
  loaded.push(await measure(loader.train(round)))
  constant.push(await measure(constantBatches()))
}
await engine.dispose()
await close()

const rates = (values: readonly number[]): string =>
  `${median(values).toFixed(1)} images/s (${values.map((x) => x.toFixed(1)).join(', ')})`
console.log(
  `${cpus().length} × ${cpus()[0].model}, ${config.threads} threads, ${rounds} rounds of ${steps} steps`,
)
console.log(`loader          ${rates(loaded)}`)
console.log(`constant batch  ${rates(constant)}`)
console.log(`ratio           ${((100 * median(loaded)) / median(constant)).toFixed(1)} %`)
