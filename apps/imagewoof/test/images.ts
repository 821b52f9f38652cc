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

/** Widths and heights with and without a common parity, smaller and larger than a network's input. */
const photographSizes = [
  [101, 67],
  [64, 64],
  [57, 130],
  [200, 151],
  [33, 30],
  [161, 240],
] as const

/**
 * Writes generated photographs, 24 files, into an existing folder: smooth shades, noise and edges in many sizes; opaque,
 * partly transparent, of one channel, rotated by EXIF, and in Display P3.
 */
export async function writePhotographs(folder: string, prefix: string): Promise<void> {
  const generator = xoroshiro128plus(testSeed(7))
  const random = (): number => uniformFloat64(generator)
  for (const [i, [width, height]] of photographSizes.entries()) {
    const save = (name: string, image: Sharp): Promise<unknown> =>
      image.toFile(join(folder, `${prefix}${i}-${name}`))
    await save('opaque.jpg', photograph(width, height, random).jpeg({ quality: 85 }))
    const grey = photograph(width, height, random).toColourspace('b-w')
    await save('grey.jpg', grey.jpeg({ quality: 85 }))
    const rotated = photograph(width, height, random).withMetadata({ orientation: 6 })
    await save('rotated.jpg', rotated.jpeg({ quality: 85 }))
    const alpha = Buffer.from(
      Array.from({ length: width * height }, (_, k) => Math.min(255, (700 * (k % width)) / width)),
    )
    const image =
      i % 2 === 0
        ? photograph(width, height, random).joinChannel(alpha, {
            raw: { width, height, channels: 1 },
          })
        : photograph(width, height, random).withIccProfile('p3')
    await save(i % 2 === 0 ? 'transparent.png' : 'p3.png', image.png())
  }
}

/** Shades and noise, with bars of random direction, period and colour in front of them. */
function photograph(width: number, height: number, random: () => number): Sharp {
  const [slope, turn, period] = [random(), 2 * Math.PI * random(), 4 + 12 * random()]
  const colours = Array.from({ length: 3 }, () => [200 * random(), 255 * random()])
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)]
    const position = x * Math.cos(turn) + y * Math.sin(turn)
    const isBar = Math.abs(position) % period < period / 2
    const [behind, front] = colours[i % 3]
    const shade = isBar ? front : behind + 55 * slope * (y / height)
    return Math.min(255, Math.max(0, shade + 40 * (random() - 0.5)))
  })
  return sharp(pixels, { raw: { width, height, channels: 3 } })
}
