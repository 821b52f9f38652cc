import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { IMagickImage, ImageMagick, MagickFormat } from '@imagemagick/magick-wasm'
import { Failure, messageOf } from '../failure.ts'

/** A file format that sharp does not read. */
interface Format {
  readonly name: string
  /** The name of the format in ImageMagick, which converts it. */
  readonly convert?: keyof typeof MagickFormat
  /** What to do with files that are not read. */
  readonly advice?: string
}

/** The file name's end is not considered: downloads and exports often have a wrong one. */
type Matcher = (bytes: Buffer) => boolean

const begins =
  (text: string, offset = 0): Matcher =>
  (bytes) =>
    bytes.subarray(offset, offset + text.length).toString('latin1') === text

/** ISO media files name a major brand, and compatible ones up to the end of their first box. */
const brands = (bytes: Buffer): readonly string[] => {
  if (!begins('ftyp', 4)(bytes)) return []
  const length = Math.min(bytes.readUInt32BE(0), 256, bytes.length)
  const names = bytes.subarray(8, length).toString('latin1')
  return names.match(/[\s\S]{4}/g) ?? []
}

const isBrand =
  (...names: readonly string[]): Matcher =>
  (bytes) =>
    brands(bytes).some((name) => names.includes(name))

const text = (bytes: Buffer): string => bytes.subarray(0, 1024).toString('latin1').trimStart()

const develop = 'develop it to JPEG, for example with darktable or RawTherapee'
const raw: Format = { name: 'camera RAW', advice: develop }

const formats: readonly (readonly [Matcher, Format])[] = [
  [(bytes) => bytes.length === 0, { name: 'empty file', advice: 'copy it again' }],
  [
    (bytes) => bytes.length > 0 && bytes.subarray(0, 4096).every((byte) => byte === 0),
    { name: 'only zeros', advice: 'copy it again' },
  ],
  [isBrand('avif', 'avis'), { name: 'AVIF' }],
  [isBrand('heic', 'heix', 'heim', 'heis', 'mif1'), { name: 'HEIC', convert: 'Heic' }],
  [isBrand('crx '), raw],
  [begins('ftyp', 4), { name: 'video', advice: 'extract images, for example with ffmpeg' }],
  [begins('BM'), { name: 'BMP', convert: 'Bmp' }],
  [begins('\0\0\x01\0'), { name: 'ICO', convert: 'Ico' }],
  [(bytes) => /^P[1-6]\s/.test(text(bytes)), { name: 'PPM', convert: 'Pnm' }],
  [begins('\0\0\0\x0cJXL '), { name: 'JPEG XL', convert: 'Jxl' }],
  [begins('\xff\x0a'), { name: 'JPEG XL', convert: 'Jxl' }],
  [begins('\0\0\0\x0cjP  '), { name: 'JPEG 2000', convert: 'Jp2' }],
  [begins('FUJIFILMCCD-RAW'), raw],
  [(bytes) => /^(IIRO|IIRS|MMOR|IIU\0)/.test(text(bytes)), raw],
  [isRawTiff, raw],
  [begins('8BPS'), { name: 'Photoshop PSD', advice: 'export it as PNG or JPEG' }],
  [begins('%PDF'), { name: 'PDF', advice: 'export its pages as PNG or JPEG' }],
  [begins('RIFF'), { name: 'RIFF' }], // WebP: sharp reads it.
  [
    begins('version https://git-lfs'),
    { name: 'pointer of Git LFS', advice: 'run git lfs pull to get the image' },
  ],
  [
    (bytes) => /^<(!doctype html|html)/i.test(text(bytes)),
    { name: 'web page', advice: 'download the image itself' },
  ],
  [begins('PK\x03\x04'), { name: 'zip archive', advice: 'unpack it first' }],
]

/**
 * Camera RAW files are TIFFs whose first image is a thumbnail, which sharp would read: tag 254 marks it as
 * one of reduced resolution, and tag 330 or 50706 (the version of DNG) points to the photograph.
 */
function isRawTiff(bytes: Buffer): boolean {
  const little = begins('II*\0')(bytes)
  if (!little && !begins('MM\0*')(bytes)) return false
  if (begins('CR', 8)(bytes)) return true
  const uint16 = (at: number): number => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at))
  const uint32 = (at: number): number => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at))
  const tags = new Map<number, number>()
  const directory = bytes.length < 8 ? 0 : uint32(4)
  if (directory < 8 || directory + 2 > bytes.length) return false
  const count = uint16(directory)
  for (let i = 0, at = directory + 2; i < count && at + 12 <= bytes.length; i++, at += 12)
    tags.set(uint16(at), uint32(at + 8))
  return tags.has(50706) || (tags.has(330) && ((tags.get(254) ?? 0) & 1) === 1)
}

/**
 * Converts a file of a format that sharp does not read into one that it reads, with the orientation
 * applied and the colour profile kept. Other files are returned as they are.
 *
 * @throws {Failure} Naming the format, and what to do, if it is not supported.
 */
export async function readableImage(bytes: Buffer): Promise<Buffer> {
  const format = formats.find(([matches]) => matches(bytes))?.[1]
  if (!format) return bytes
  const { name, convert, advice } = format
  if (advice !== undefined) throw new Failure(`${name}: ${advice}`)
  if (convert === undefined) return bytes
  const { magick, formats: names, compressions, orientations } = await loadImageMagick()
  try {
    return magick.read(bytes, names[convert], (image: IMagickImage) => {
      image.orientation = orientations.TopLeft // Decoders of these formats apply it.
      image.settings.compression = compressions.NoCompression
      return image.write(names.Tiff, (tiff) => Buffer.from(tiff))
    })
  } catch (cause) {
    throw new Failure(`damaged ${name}: ${messageOf(cause).split(' @ ')[0]}`, { cause })
  }
}

interface LoadedImageMagick {
  readonly magick: typeof ImageMagick
  readonly formats: typeof MagickFormat
  readonly compressions: typeof import('@imagemagick/magick-wasm').CompressionMethod
  readonly orientations: typeof import('@imagemagick/magick-wasm').Orientation
}

let loaded: Promise<LoadedImageMagick> | undefined

/** Loads ImageMagick for the first file that needs it: it has 15 MB. */
const loadImageMagick = (): Promise<LoadedImageMagick> => {
  loaded ??= (async () => {
    const library = await import('@imagemagick/magick-wasm')
    const { resolve } = createRequire(import.meta.url)
    await library.initializeImageMagick(
      await readFile(resolve('@imagemagick/magick-wasm/magick.wasm')),
    )
    return {
      magick: library.ImageMagick,
      formats: library.MagickFormat,
      compressions: library.CompressionMethod,
      orientations: library.Orientation,
    }
  })()
  return loaded
}

/** sharp's messages list what its decoders tried, and end with the cause, maybe with an error number below it. */
export const lastLine = (message: string): string =>
  message
    .replace(/\s+\([\d.]+\)\s*$/, '')
    .trim()
    .split('\n')
    .at(-1)
    ?.trim() ?? message
