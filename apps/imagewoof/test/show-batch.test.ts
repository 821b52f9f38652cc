import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, expect, test } from 'vitest'
import { resolveConfig } from '../src/config/config.ts'
import { createLoader } from '../src/data/loader/loader.ts'
import { openDataset } from '../src/data/open.ts'
import { fileFolder, run, tinyNetwork } from './command.ts'
import { writePatterns } from './images.ts'

const folder = fileFolder()
const cache = join(folder, 'cache')
const data = join(folder, 'images')
const options = ['--data', data, ...tinyNetwork, '--mixup', '0.4', '--seed', '3', '--epochs', '2']

beforeAll(() => writePatterns(data, { train: 8, validation: 4 }))

interface ShownImage {
  readonly pixels: Buffer
  readonly label: string
}

/** The images of each split on a page of `show-batch`. */
const imagesOf = (page: string): Promise<readonly (readonly ShownImage[])[]> =>
  Promise.all(
    page
      .split('<div class="batch">')
      .slice(1)
      .map((split) =>
        Promise.all(
          [...split.matchAll(/src="data:image\/png;base64,([^"]+)" alt="([^"]+)"/g)].map(
            async ([, png, label]) => ({
              pixels: await sharp(Buffer.from(png, 'base64')).raw().toBuffer(),
              label,
            }),
          ),
        ),
      ),
  )

test('show-batch shows the pixels and targets that train passes to the network', async () => {
  const out = join(folder, 'pages', 'batch.html')
  const { code, output, errors } = await run(
    ['show-batch', ...options, '--epoch', '2', '--out', out],
    cache,
  )
  expect([code, errors]).toEqual([0, ''])
  expect(output).toContain(`page       ${out}\n`)
  const [trained, validated] = await imagesOf(readFileSync(out, 'utf8'))
  const { dataset } = await openDataset({ data, size: 20, cache })
  const config = resolveConfig({ data, size: 20, batch: 8, mixup: 0.4, seed: 3 })
  const loader = createLoader(dataset, config)
  const [mean, deviation] = [
    [0.485, 0.456, 0.406],
    [0.229, 0.224, 0.225],
  ]
  for await (const { images, targets } of loader.train(1)) {
    expect(trained).toHaveLength(8)
    for (const [n, { pixels, label }] of trained.entries()) {
      for (const [i, pixel] of pixels.entries()) {
        const [channel, position] = [i % 3, Math.floor(i / 3)]
        const value = images[(n * 3 + channel) * 400 + position]
        const byte = 255 * (value * deviation[channel] + mean[channel])
        expect(Math.abs(pixel - byte)).toBeLessThanOrEqual(0.501)
      }
      const first =
        dataset.classes[
          targets
            .subarray(3 * n, 3 * n + 3)
            .indexOf(Math.max(...targets.subarray(3 * n, 3 * n + 3)))
        ]
      expect(label.startsWith(first)).toBe(true)
    }
    break
  }
  await loader.dispose()
  expect(validated.map(({ label }) => label)).toEqual(
    Array.from({ length: 12 }, (_, i) => dataset.classes[i % 3]),
  )
  expect(trained.some(({ label }) => / \d+\s%, .+ \d+\s%$/.test(label))).toBe(true)
  const again = await run(['show-batch', ...options, '--out', out], cache)
  expect(again.errors).toBe(`error: ${out}: already exists; choose another --out\n`)
})

test('show-batch checks what train checks', async () => {
  const out = join(folder, 'refused.html')
  const refused = async (...args: readonly string[]): Promise<string> =>
    (await run(['show-batch', ...options, '--out', out, ...args], cache)).errors
  expect(await refused('--batch', '25')).toBe(
    'error: --batch must be at most 24, the number of training images, but is 25\n',
  )
  expect(await refused('--epoch', '3')).toBe(
    'error: --epoch must be at most 2, --epochs, but is 3\n',
  )
  expect(await refused('--crop', '2')).toContain('--crop must be in (0, 1]')
  expect(existsSync(out)).toBe(false)
})
