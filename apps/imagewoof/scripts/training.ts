import { cpus } from 'node:os'
import { seeded } from '@diffgrad/onnx'
import { resolveConfig } from '../src/config/config.ts'
import type { Batch } from '../src/data/batch.ts'
import { openData } from '../src/training/pictures.ts'
import { openSession } from '../src/training/session.ts'

// Whether training waits for its pictures: `pnpm --filter imagewoof bench:training [data] [size]`.
// The same engine takes steps on batches of the loader and on ready arrays, by turns.
const [data = 'shapes', size = '64'] = process.argv.slice(2)
const [rounds, steps] = [5, 10]
const config = resolveConfig({ data, size: Number(size), epochs: rounds + 1 })
const surface = { screen: process.stdout, signal: new AbortController().signal }
const dataset = await openData(config, surface)
const { engine, loader, close } = await openSession(config, dataset)

const random = seeded(1)
const classes = dataset.classes.length
const ready: Batch = {
  images: Float32Array.from({ length: config.batch * 3 * config.size ** 2 }, () => random.normal()),
  targets: Float32Array.from({ length: config.batch * classes }, (_, i) =>
    i % classes === Math.floor(i / classes) % classes ? 1 : 0,
  ),
  labels: Array.from({ length: config.batch }, (_, i) => i % classes),
}

async function* arrays(): AsyncGenerator<Batch> {
  for (;;) yield ready
}

/** Pictures a second. */
async function pace(batches: AsyncIterable<Batch>): Promise<number> {
  let [count, start] = [-1, 0]
  for await (const batch of batches) {
    if (++count === 0) start = performance.now() // The first is there already, or never will be.
    if (count === steps) break
    await engine.step(batch)
    await new Promise(setImmediate)
  }
  return (1000 * steps * config.batch) / (performance.now() - start)
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

await pace(arrays())
const [loaded, given]: [number[], number[]] = [[], []]
for (let round = 0; round < rounds; round++) {
  loaded.push(await pace(loader.train(round)))
  given.push(await pace(arrays()))
}
await close()
console.log(
  `${cpus().length} × ${cpus()[0].model}, ${config.threads} threads, ${rounds} rounds of ${steps} steps`,
)
console.log(
  `from the loader  ${median(loaded).toFixed(1)} pictures/s (${loaded.map((x) => x.toFixed(1)).join(', ')})`,
)
console.log(
  `ready arrays     ${median(given).toFixed(1)} pictures/s (${given.map((x) => x.toFixed(1)).join(', ')})`,
)
console.log(`share            ${((100 * median(loaded)) / median(given)).toFixed(1)} %`)
