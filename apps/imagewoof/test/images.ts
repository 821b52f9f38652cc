import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { testSeed } from '@diffgrad/testing/seed'
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import sharp, { type Sharp } from 'sharp'
import { onTestFinished } from 'vitest'

/** An empty folder, which is deleted after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'imagewoof-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** A JPEG of coloured noise. */
export const noiseImage = (seed: number, width = 48, height = 40): Promise<Buffer> =>
  sharp(
    Uint8Array.from(
      { length: width * height * 3 },
      (_, i) => (Math.imul(i + 1, 7919 * (seed + 1)) >> 5) % 256,
    ),
    { raw: { width, height, channels: 3 } },
  )
    .blur(1.5)
    .jpeg()
    .toBuffer()

/** A temporary folder with files. A file without content becomes a JPEG of noise. */
export async function folderOf(
  files: Readonly<Record<string, Uint8Array | string | undefined>>,
): Promise<string> {
  const folder = temporaryFolder()
  for (const [i, [path, content]] of Object.entries(files).entries()) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content ?? (await noiseImage(i)))
  }
  return folder
}

/** Two classes with three training images and two validation images. */
export const catsAndDogs: Readonly<Record<string, undefined>> = Object.fromEntries(
  ['train/cat/1', 'train/cat/2', 'train/dog/1', 'val/cat/3', 'val/dog/2'].map((name) => [
    `${name}.JPEG`,
    undefined,
  ]),
)

interface PatternOptions {
  /** Training images per class. */
  readonly train?: number
  /** Validation images per class. */
  readonly validation?: number
  readonly classes?: readonly string[]
}

/** Writes a data set that a tiny network can learn: noisy JPEGs with horizontal, vertical or no stripes. */
export async function writePatterns(
  folder: string,
  { train = 24, validation = 10, classes = ['rows', 'columns', 'noise'] }: PatternOptions = {},
): Promise<string> {
  const generator = xoroshiro128plus(testSeed(1))
  const random = (): number => uniformFloat64(generator)
  for (const [split, count] of Object.entries({ train, val: validation }))
    for (const name of classes) {
      await mkdir(join(folder, split, name), { recursive: true })
      for (let i = 0; i < count; i++)
        await patternImage(name, random).toFile(join(folder, split, name, `${i}.jpeg`))
    }
  return folder
}

function patternImage(name: string, random: () => number): Sharp {
  const [width, height] = [40 + Math.floor(20 * random()), 40 + Math.floor(20 * random())]
  const [phase, period] = [8 * random(), 6 + 4 * random()]
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)]
    const position = name === 'rows' ? y : name === 'columns' ? x : 0
    const stripe = name === 'noise' ? 0 : 50 * Math.sin((2 * Math.PI * (position + phase)) / period)
    return 128 + stripe + 60 * (random() - 0.5)
  })
  return sharp(pixels, { raw: { width, height, channels: 3 } }).jpeg({ quality: 90 })
}
