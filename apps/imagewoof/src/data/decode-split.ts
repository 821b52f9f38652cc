import sharp from 'sharp'
import { Failure, messageOf } from '../failure.ts'
import { type ChunkFiles, chunkLength, type DecodedFile } from './chunks.ts'
import type { ImageFile } from './dataset.ts'
import { type DecodedImage, forEachConcurrent, type OpenedImage, type Square } from './decode.ts'
import { lastLine } from './formats.ts'
import type { ProgressOptions } from './progress.ts'
import type { SkippedFile } from './tree.ts'

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

interface DecodeOptions extends Pick<ProgressOptions, 'signal'> {
  /** Opens the image with a path; throws if it is not an image. */
  readonly open: (path: string) => Promise<OpenedImage>
  /** Where the images are kept. */
  readonly chunks: ChunkFiles
  /** Called first, with the number of files that an earlier call has decoded. */
  readonly onKept: (count: number) => void
  /** Called after each other file, decoded or not. */
  readonly onFile: () => void
}

/** Images decoded at the same time: libuv's thread pool has four threads, whatever the number of cores. */
const decodeConcurrency = 4

/** Pixels of the images that are decoded at the same time, unless one has more. They take three bytes each. */
const maxPixels = 2 ** 27

/**
 * Decodes and resizes the images of a split, and keeps them chunk by chunk. Chunks of an earlier call,
 * which may have been interrupted, are read instead. Files that cannot be decoded are left out and listed
 * in `skipped`.
 *
 * @throws {Failure} If the decoded images do not fit into memory.
 * @throws the signal's reason if it aborts.
 */
export async function decodeSplit(
  images: readonly ImageFile[],
  { size, squareOf }: SquareOptions,
  { open, chunks, onKept, onFile, signal }: DecodeOptions,
): Promise<DecodedSplit> {
  sharp.concurrency(1) // One thread per image: images are decoded concurrently.
  const bytes = 3 * size * size
  const pixels = sharedBytes(images.length * bytes)
  const squareAt = (i: number): Uint8Array => pixels.subarray(i * bytes, (i + 1) * bytes)
  const files: DecodedFile[] = []
  /** The indices of the images of each missing chunk. */
  const missing: (readonly number[])[] = []
  for (let first = 0; first < images.length; first += chunkLength) {
    signal?.throwIfAborted()
    const indices = indicesFrom(first, images.length)
    const chunk = await chunks.read(first / chunkLength, indices.length, bytes)
    if (!chunk) missing.push(indices)
    let next = 0
    for (const [k, file] of chunk?.files.entries() ?? []) {
      files[first + k] = file
      if ('reason' in file || !chunk) continue
      squareAt(first + k).set(chunk.pixels.subarray(next, next + bytes))
      next += bytes
    }
  }
  onKept(images.length - missing.flat().length)

  /** Writes a chunk as soon as its last file is decoded. */
  const writeIfComplete = async (chunk: number): Promise<void> => {
    const indices = indicesFrom(chunk * chunkLength, images.length)
    if (indices.some((i) => files[i] === undefined)) return
    const squares = indices.filter((i) => !('reason' in files[i])).map(squareAt)
    await chunks.write(chunk, {
      files: indices.map((i) => files[i]),
      pixels: Buffer.concat(squares),
    })
  }

  const budget = new PixelBudget(maxPixels)
  const decode = async (i: number): Promise<DecodedFile> => {
    const image = await open(images[i].path)
    return budget.run(image.pixelCount, async () => {
      const decoded = await image.decode()
      const square = await squareOf(decoded, size)
      squareAt(i).set(square.pixels)
      return { aspect: square.aspect, grey: decoded.grey }
    })
  }
  const finish = async (i: number, file: DecodedFile): Promise<void> => {
    files[i] = file
    await writeIfComplete(Math.floor(i / chunkLength))
    onFile()
  }
  // By chunks, so that an interruption loses one at most.
  for (const indices of missing) {
    const failed: number[] = []
    await forEachConcurrent(indices, decodeConcurrency, async (i) => {
      signal?.throwIfAborted()
      const file = await decode(i).catch(() => undefined)
      if (file) await finish(i, file)
      else failed.push(i)
    })
    // libvips has one error buffer, which mixes the messages of images decoded at the same time.
    for (const i of failed) {
      signal?.throwIfAborted()
      await finish(i, await decode(i).catch((error) => ({ reason: lastLine(messageOf(error)) })))
    }
  }
  return withoutSkipped(images, files, { size, pixels })
}

const indicesFrom = (first: number, end: number): readonly number[] =>
  Array.from({ length: Math.min(chunkLength, end - first) }, (_, k) => first + k)

/** Moves the squares of decoded images together. */
function withoutSkipped(
  images: readonly ImageFile[],
  files: readonly DecodedFile[],
  { size, pixels }: Pick<DecodedSplit, 'size' | 'pixels'>,
): DecodedSplit {
  const bytes = 3 * size * size
  const decoded: { readonly image: ImageFile; readonly aspect: number; readonly grey: boolean }[] =
    []
  const skipped: SkippedFile[] = []
  for (const [i, file] of files.entries()) {
    if ('reason' in file) {
      skipped.push({ file: images[i].path, reason: file.reason })
      continue
    }
    if (decoded.length !== i) pixels.copyWithin(decoded.length * bytes, i * bytes, (i + 1) * bytes)
    decoded.push({ image: images[i], ...file })
  }
  return {
    size,
    pixels: pixels.subarray(0, decoded.length * bytes),
    files: decoded.map(({ image }) => image.path),
    labels: decoded.map(({ image }) => image.label),
    aspects: decoded.map(({ aspect }) => aspect),
    grey: decoded.filter(({ grey }) => grey).length,
    skipped,
  }
}

/** @throws {Failure} If so many bytes cannot be allocated. */
function sharedBytes(length: number): Uint8Array<SharedArrayBuffer> {
  try {
    return new Uint8Array(new SharedArrayBuffer(length))
  } catch {
    const gigabytes = (length / 1e9).toFixed(1)
    throw new Failure(
      `decoded images take ${gigabytes} GB, more than memory has; try a smaller size`,
    )
  }
}

/** Limits the pixels of the images that are decoded at the same time. */
export class PixelBudget {
  readonly #limit: number
  #used = 0
  readonly #waiting: { readonly pixels: number; readonly start: () => void }[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Does work as soon as its pixels and those before it fit. More pixels than the limit wait to be alone. */
  async run<T>(pixels: number, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((start) => {
      this.#waiting.push({ pixels, start })
      this.#startNext()
    })
    try {
      return await work()
    } finally {
      this.#used -= pixels
      this.#startNext()
    }
  }

  #startNext(): void {
    for (;;) {
      const [next] = this.#waiting
      if (!next || (this.#used > 0 && this.#used + next.pixels > this.#limit)) return
      this.#used += next.pixels
      this.#waiting.shift()
      next.start()
    }
  }
}
