import { cpus } from 'node:os'
import sharp from 'sharp'
import { resolveConfig } from '../src/config/config.ts'
import { randomCrop, randomStream } from '../src/data/loader/augment.ts'
import { createLoader } from '../src/data/loader/loader.ts'
import { openDataset } from '../src/data/open.ts'

// Measures the speed of the data loader: `pnpm --filter imagewoof bench:loader [data] [size]`.
const [data = 'shapes', size = '64'] = process.argv.slice(2)
const { dataset } = await openDataset({ data, size: Number(size) })
const edge = dataset.train.size
console.log(
  `${dataset.name}: crops of ${edge} px squares resized to ${size} px, ${cpus()[0].model}`,
)

/**
 * Prints images per second and processor time per image, as ranges over five rounds.
 *
 * @param round - returns the number of images that it made.
 */
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
  console.log(`${name}: ${range(rates, 0)} images/s, ${range(times, 3)} ms of processor time each`)
}

const options = { ...resolveConfig({ batch: 64, crop: 0.35 }), workers: 1 }
for (const mixup of [0, 0.4]) {
  const loader = createLoader(dataset, { ...options, mixup })
  await measure(`loader, one worker, mixup ${mixup}`, async (epoch) => {
    let count = 0
    for await (const { labels } of loader.train(epoch)) count += labels.length
    return count
  })
  await loader.dispose()
}

// The same crops by sharp, without normalization, mixup and batching.
await measure('sharp, one call per image', async (i) => {
  const [count, random] = [1024, randomStream(i)]
  const bytes = 3 * edge * edge
  for (let index = 0; index < count; index++) {
    const pixels = dataset.train.pixels.subarray(index * bytes, (index + 1) * bytes)
    await sharp(pixels, { raw: { width: edge, height: edge, channels: 3 } })
      .extract(randomCrop(edge, dataset.train.aspects[index], options.crop, random))
      .resize(Number(size), Number(size), { fit: 'fill', kernel: 'lanczos3' })
      .raw()
      .toBuffer()
  }
  return count
})
