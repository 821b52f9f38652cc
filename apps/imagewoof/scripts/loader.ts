import { cpus } from 'node:os'
import sharp from 'sharp'
import { randomCrop } from '../src/data/loader/crop.ts'
import { createLoader } from '../src/data/loader/loader.ts'
import { drawsOf } from '../src/data/loader/random.ts'
import { openDataset } from '../src/data/open.ts'

// How fast training batches are made: `pnpm --filter imagewoof bench:loader [data] [size]`.
const [data = 'shapes', size = '64'] = process.argv.slice(2)
const { dataset } = await openDataset({ data, size: Number(size) })
const edge = dataset.train.size
console.log(
  `${dataset.name}: crops of ${edge} px squares as ${size} px pictures, ${cpus()[0].model}`,
)

/** Pictures a second, and processor time each, of rounds of some pictures. */
async function measure(name: string, round: (i: number) => Promise<number>): Promise<void> {
  await round(0)
  const rates: number[] = []
  const times: number[] = []
  for (let i = 1; i <= 5; i++) {
    const [start, before] = [performance.now(), process.cpuUsage()]
    const count = await round(i)
    const { user, system } = process.cpuUsage(before)
    rates.push((1000 * count) / (performance.now() - start))
    times.push((user + system) / 1000 / count)
  }
  const range = (values: readonly number[], digits: number): string =>
    `${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)}`
  console.log(`${name}: ${range(rates, 0)} pictures/s, ${range(times, 3)} ms of a core each`)
}

const settings = { batch: 64, crop: 0.35, flip: true, labelSmoothing: 0.1, seed: 1 }
for (const mixup of [0, 0.4]) {
  const loader = createLoader(dataset, { ...settings, mixup })
  await measure(`loader, one worker, mixup ${mixup}`, async (epoch) => {
    let count = 0
    for await (const { labels } of loader.train(epoch)) count += labels.length
    return count
  })
  await loader.dispose()
}

// The same crops by sharp, without normalization, mixing and batches.
await measure('sharp, a call for each picture', async (i) => {
  const [count, draw] = [1024, drawsOf(i)]
  const bytes = 3 * edge * edge
  for (let place = 0; place < count; place++) {
    const pixels = dataset.train.pixels.subarray(place * bytes, (place + 1) * bytes)
    await sharp(pixels, { raw: { width: edge, height: edge, channels: 3 } })
      .extract(randomCrop(edge, dataset.train.aspects[place], settings.crop, draw))
      .resize(Number(size), Number(size), { fit: 'fill', kernel: 'lanczos3' })
      .raw()
      .toBuffer()
  }
  return count
})
