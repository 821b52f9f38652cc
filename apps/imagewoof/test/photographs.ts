import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import sharp, { type Sharp } from 'sharp'

/** What photographs show, unless told otherwise. */
const all = ['rows', 'columns', 'noise']

/** Makes a folder of small noisy JPEGs: stripes along rows, along columns, or none. */
export async function photographs(
  folder: string,
  {
    train = 24,
    validation = 10,
    classes = all,
  }: {
    readonly train?: number
    readonly validation?: number
    readonly classes?: readonly string[]
  } = {},
): Promise<string> {
  const generator = xoroshiro128plus(1)
  const draw = (): number => uniformFloat64(generator)
  for (const [split, count] of Object.entries({ train, val: validation }))
    for (const name of classes) {
      await mkdir(join(folder, split, name), { recursive: true })
      for (let i = 0; i < count; i++)
        await picture(name, draw).toFile(join(folder, split, name, `${i}.jpeg`))
    }
  return folder
}

function picture(name: string, draw: () => number): Sharp {
  const [width, height, channels] = [40 + Math.floor(20 * draw()), 40 + Math.floor(20 * draw()), 3]
  const [phase, period] = [8 * draw(), 6 + 4 * draw()]
  const pixels = Uint8Array.from({ length: width * height * channels }, (_, i) => {
    const [x, y] = [Math.floor(i / channels) % width, Math.floor(i / channels / width)]
    const along = name === 'rows' ? y : name === 'columns' ? x : 0
    const stripe = name === 'noise' ? 0 : 50 * Math.sin((2 * Math.PI * (along + phase)) / period)
    return 128 + stripe + 60 * (draw() - 0.5)
  })
  return sharp(pixels, { raw: { width, height, channels: 3 } }).jpeg({ quality: 90 })
}
