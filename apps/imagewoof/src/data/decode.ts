import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { Failure, messageOf } from '../failure.ts'
import type { ProgressOptions } from '../terminal/data-progress.ts'
import type { ImageFile } from './dataset.ts'
import { lastLine, readableImage } from './formats.ts'
import { limitedSize, type Pixels, resizeCentre } from './loader/resample.ts'
import type { FileDigests } from './split.ts'
import type { SkippedFile } from './tree.ts'

/**
 * SHA-256 of files, by their paths. Files that cannot be read are listed in `skipped`.
 *
 * @throws the signal's reason if it aborts.
 */
export async function digestFiles(
  root: string,
  files: readonly ImageFile[],
  { onProgress, signal }: ProgressOptions = {},
): Promise<{ readonly digests: FileDigests; readonly skipped: readonly SkippedFile[] }> {
  const digests = new Map<string, string>()
  const skipped: SkippedFile[] = []
  let done = 0
  await forEachConcurrent(files, 8, async ({ path }) => {
    signal?.throwIfAborted()
    try {
      const bytes = await readFile(join(root, path))
      digests.set(path, createHash('sha256').update(bytes).digest('hex'))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException // Of a call of node:fs.
      skipped.push({ file: path, reason: `cannot be read (${code})` })
    }
    onProgress?.({ task: 'reading', done: ++done, total: files.length, unit: 'images' })
  })
  return { digests, skipped }
}

/** A decoded image, with the EXIF orientation applied, on white where it is transparent. */
interface DecodedImage extends Pixels {
  /** Whether the file has a single channel, apart from transparency. */
  readonly grey: boolean
}

/** @throws Error if the bytes are not a complete image. */
export async function decodeImage(bytes: Buffer): Promise<DecodedImage> {
  const file = sharp(await readableImage(bytes), { failOn: 'error' })
  const { channels } = await file.metadata()
  const { data, info } = await file
    .autoOrient()
    .toColourspace('srgb')
    .flatten({ background: 'white' })
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { pixels: data, width: info.width, height: info.height, grey: channels < 3 }
}

/** An image or its central part, resized to a square. */
interface Square {
  /** RGB bytes · edge × edge × 3. */
  readonly pixels: Uint8Array
  /** Width / height of the area before it was resized. */
  readonly aspect: number
}

/** The whole image stretched to a square, which training crops are taken from. */
export async function trainingSquare(image: DecodedImage, edge: number): Promise<Square> {
  const stretched = sharpOf(image).resize(edge, edge, { fit: 'fill', kernel: 'lanczos3' })
  return { pixels: await stretched.raw().toBuffer(), aspect: image.width / image.height }
}

/**
 * The network's input in validation: the central square, seven eighths of the shorter side, resized by a
 * Lanczos filter. Exported models hold the same preprocessing, so that they see the same images.
 */
export async function validationSquare(image: DecodedImage, size: number): Promise<Square> {
  const [width, height] = limitedSize(image.width, image.height)
  const limited =
    width === image.width && height === image.height
      ? image.pixels
      : await sharpOf(image)
          .resize(width, height, { fit: 'fill', kernel: 'lanczos3' })
          .raw()
          .toBuffer()
  return { pixels: resizeCentre({ pixels: limited, width, height }, size), aspect: 1 }
}

const sharpOf = ({ pixels, width, height }: DecodedImage): Sharp =>
  sharp(pixels, { raw: { width, height, channels: 3 } })

/** The decoded images of a split. */
export interface DecodedSplit {
  /** Edge of the squares, in pixels. */
  readonly size: number
  /** RGB bytes · images × size × size × 3. */
  readonly pixels: Uint8Array<SharedArrayBuffer>
  /** Relative to the data set. */
  readonly files: readonly string[]
  /** Class index of each image. */
  readonly labels: readonly number[]
  /** Width / height of each image before it was resized to a square. */
  readonly aspects: readonly number[]
  /** Number of one-channel files. */
  readonly grey: number
  readonly skipped: readonly SkippedFile[]
}

interface SquareOptions {
  /** Edge, in pixels. */
  readonly size: number
  readonly squareOf: (image: DecodedImage, size: number) => Promise<Square>
}

interface DecodeOptions {
  /** Called after each file, decoded or not. */
  readonly onFile: () => void
  readonly signal?: AbortSignal | undefined
}

/** Images decoded at the same time: libuv's thread pool has four threads, whatever the number of cores. */
const decodeConcurrency = 4

/**
 * Decodes and resizes the images of a split. Files that cannot be decoded are left out and listed in
 * `skipped`.
 *
 * @throws {Failure} If the decoded images do not fit into memory.
 */
export async function decodeSplit(
  root: string,
  images: readonly ImageFile[],
  { size, squareOf }: SquareOptions,
  { onFile, signal }: DecodeOptions,
): Promise<DecodedSplit> {
  sharp.concurrency(1) // One thread per image: images are decoded concurrently.
  const bytes = 3 * size * size
  const pixels = sharedBytes(images.length * bytes)
  const aspects: number[] = []
  const reasons = new Map<number, string>()
  let grey = 0
  await forEachConcurrent(images, decodeConcurrency, async ({ path }, i) => {
    signal?.throwIfAborted()
    try {
      const image = await decodeImage(await readFile(join(root, path)))
      const square = await squareOf(image, size)
      pixels.set(square.pixels, i * bytes)
      aspects[i] = square.aspect
      if (image.grey) grey++
    } catch (error) {
      reasons.set(i, lastLine(messageOf(error)))
    }
    onFile()
  })
  const decoded = [...images.keys()].filter((i) => !reasons.has(i))
  for (const [to, from] of decoded.entries()) {
    if (to !== from) pixels.copyWithin(to * bytes, from * bytes, (from + 1) * bytes)
  }
  return {
    size,
    pixels: pixels.subarray(0, decoded.length * bytes),
    files: decoded.map((i) => images[i].path),
    labels: decoded.map((i) => images[i].label),
    aspects: decoded.map((i) => aspects[i]),
    grey,
    skipped: [...reasons]
      .sort(([a], [b]) => a - b)
      .map(([i, reason]) => ({ file: images[i].path, reason })),
  }
}

/** @throws {Failure} If so many bytes cannot be allocated. */
export function sharedBytes(length: number): Uint8Array<SharedArrayBuffer> {
  try {
    return new Uint8Array(new SharedArrayBuffer(length))
  } catch {
    const gigabytes = (length / 1e9).toFixed(1)
    throw new Failure(
      `decoded images take ${gigabytes} GB, more than memory has; try a smaller size`,
    )
  }
}

/** Runs a task for every item, at most `limit` at a time. After an error no further task starts. */
async function forEachConcurrent<T>(
  items: readonly T[],
  limit: number,
  task: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const entries = items.entries()
  let failed = false
  const runTasks = async (): Promise<void> => {
    for (const [index, item] of entries) {
      if (failed) return
      await task(item, index).catch((error) => {
        failed = true
        throw error
      })
    }
  }
  await Promise.all(Array.from({ length: limit }, runTasks))
}
