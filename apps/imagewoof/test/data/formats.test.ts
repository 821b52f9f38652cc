import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { decodeImage } from '../../src/data/decode.ts'
import { openDataset } from '../../src/data/open.ts'
import { catsAndDogs, folderOf, noiseImage, temporaryFolder } from '../images.ts'

const [width, height] = [24, 18]

/** RGB bytes of a picture that is red at the left, green at the right, and bluer at the bottom. */
const picture = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
  const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)]
  return [255 - (255 * x) / width, (255 * x) / width, (200 * y) / height][i % 3]
})

function ppm(): Buffer {
  return Buffer.concat([Buffer.from(`P6\n# by hand\n${width} ${height}\n255\n`), picture])
}

/** 24 bits, bottom row first, in BGR; rows of 72 bytes need no padding. */
function bmp(): Buffer {
  const header = Buffer.alloc(54)
  header.write('BM')
  header.writeUInt32LE(54 + picture.length, 2)
  header.writeUInt32LE(54, 10)
  for (const [at, value] of [
    [14, 40],
    [18, width],
    [22, height],
    [34, picture.length],
  ])
    header.writeUInt32LE(value, at)
  header.writeUInt16LE(1, 26)
  header.writeUInt16LE(24, 28)
  const rows = Array.from({ length: height }, (_, y) => {
    const row = Buffer.from(picture.subarray(3 * width * y, 3 * width * (y + 1)))
    for (let i = 0; i < row.length; i += 3) [row[i], row[i + 2]] = [row[i + 2], row[i]]
    return row
  })
  return Buffer.concat([header, ...rows.reverse()])
}

const png = (): Promise<Buffer> =>
  sharp(picture, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer()

/** An icon with one PNG. */
async function ico(): Promise<Buffer> {
  const header = Buffer.alloc(22)
  const image = await png()
  header.writeUInt16LE(1, 2)
  header.writeUInt16LE(1, 4)
  header.set([width, height], 6)
  header.writeUInt16LE(1, 10)
  header.writeUInt16LE(32, 12)
  header.writeUInt32LE(image.length, 14)
  header.writeUInt32LE(22, 18)
  return Buffer.concat([header, image])
}

const open = (data: string) => openDataset({ data, size: 18, cache: temporaryFolder() })

test.each<[string, () => Buffer | Promise<Buffer>]>([
  ['BMP', bmp],
  ['PPM', ppm],
  ['ICO', ico],
])('%s is read, whatever its extension', async (_, make) => {
  const folder = await folderOf({ ...catsAndDogs, 'val/dog/1.jpg': await make() })
  const reference = await folderOf({ ...catsAndDogs, 'val/dog/1.jpg': await png() })
  const [opened, expected] = [await open(folder), await open(reference)]
  expect(opened.skipped).toEqual([])
  expect(opened.dataset.validation.pixels).toEqual(expected.dataset.validation.pixels)
})

test('a HEIC, as iPhones write it, is read', async () => {
  // 64 × 48 pixels, red at the left, green at the right, bluer at the bottom, by libheif's heif-enc.
  const file = fileURLToPath(new URL('../fixtures/gradient.heic', import.meta.url))
  const { pixels, width, height } = await decodeImage(await readFile(file))
  expect([width, height]).toEqual([64, 48])
  for (const [x, y] of [
    [0, 0],
    [63, 0],
    [20, 30],
    [63, 47],
  ] as const) {
    const at = 3 * (64 * y + x)
    const expected = [255 - 4 * x, 4 * x, 4 * y]
    for (const channel of [0, 1, 2])
      expect(Math.abs(pixels[at + channel] - expected[channel])).toBeLessThan(16)
  }
})

/** A TIFF whose directory has these tags, each with one number. */
function tiff(tags: readonly (readonly [tag: number, value: number])[], signature = ''): Buffer {
  const file = Buffer.alloc(16 + 2 + 12 * tags.length + 4)
  file.write('II*\0', 'latin1')
  file.writeUInt32LE(16, 4)
  file.write(signature, 8, 'latin1')
  file.writeUInt16LE(tags.length, 16)
  for (const [i, [tag, value]] of tags.entries()) {
    const at = 18 + 12 * i
    file.writeUInt16LE(tag, at)
    file.writeUInt16LE(4, at + 2)
    file.writeUInt32LE(1, at + 4)
    file.writeUInt32LE(value, at + 8)
  }
  return file
}

const raw = 'camera RAW: develop it to JPEG, for example with darktable or RawTherapee'

test.each<[string, Uint8Array | string, string]>([
  ['CR2', tiff([], 'CR\x02'), raw],
  [
    'NEF or ARW',
    tiff([
      [254, 1],
      [330, 8],
    ]),
    raw,
  ],
  ['DNG', tiff([[50706, 1]]), raw],
  ['RAF', 'FUJIFILMCCD-RAW 0201', raw],
  ['CR3', '\0\0\0\x18ftypcrx ', raw],
  ['PDF', '%PDF-1.7', 'PDF: export its pages as PNG or JPEG'],
  ['PSD', '8BPS\0\x01', 'Photoshop PSD: export it as PNG or JPEG'],
  ['MOV', '\0\0\0\x14ftypqt  ', 'video: extract images, for example with ffmpeg'],
  ['empty file', '', 'empty file: copy it again'],
  ['copy that failed', new Uint8Array(5000), 'only zeros: copy it again'],
  [
    'pointer of Git LFS',
    'version https://git-lfs.github.com/spec/v1\noid',
    'pointer of Git LFS: run git lfs pull to get the image',
  ],
  ['web page', '\n<!DOCTYPE html><html>', 'web page: download the image itself'],
  ['damaged BMP', 'BM not an image', 'damaged BMP: '],
])('%s is skipped, named and given advice', async (_, bytes, reason) => {
  const folder = await folderOf({ ...catsAndDogs, 'train/cat/3.jpg': bytes })
  const { skipped } = await open(folder)
  expect(skipped).toEqual([{ file: 'train/cat/3.jpg', reason: expect.stringContaining(reason) }])
})

test('the reason of a file that cannot be decoded is the last line of its own error', async () => {
  const noise = sharp(await noiseImage(1))
  const formats = { avif: 'heif:', jpeg: 'VipsJpeg:', png: 'vipspng:', webp: 'webp:' } as const
  const files: Record<string, Buffer> = {}
  for (const format of Object.keys(formats) as (keyof typeof formats)[]) {
    const bytes = await noise.clone().toFormat(format).toBuffer()
    for (let k = 0; k < 10; k++)
      files[`train/cat/${k}.${format}`] = bytes.subarray(0, (0.5 + k / 25) * bytes.length)
  }
  const { skipped } = await open(await folderOf({ ...catsAndDogs, ...files }))
  const reasons = new Map(skipped.map(({ file, reason }) => [file, reason]))
  expect([...reasons.keys()].sort()).toEqual(Object.keys(files).sort())
  for (const [file, reason] of reasons) {
    const format = file.split('.').at(-1) as keyof typeof formats
    expect(reason, file).not.toContain('\n')
    expect(reason, file).toContain(formats[format])
  }
})
