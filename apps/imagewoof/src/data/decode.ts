import sharp, { type Sharp } from 'sharp'
import type { ImageFile } from './dataset.ts'
import type { DigestIndex } from './digest-index.ts'
import { readableImage } from './formats.ts'
import { limitedSize, type Pixels, resizeCentre } from './loader/resample.ts'
import type { ProgressOptions } from './progress.ts'
import type { FileDigests } from './split.ts'
import type { SkippedFile } from './tree.ts'

/**
 * SHA-256 of files, by their paths. Files that cannot be read are listed in `skipped`.
 *
 * @param index - of the folder of the files.
 * @throws the signal's reason if it aborts.
 */
export async function digestFiles(
  index: DigestIndex,
  files: readonly ImageFile[],
  { onProgress, signal }: ProgressOptions = {},
): Promise<{ readonly digests: FileDigests; readonly skipped: readonly SkippedFile[] }> {
  const digests = new Map<string, string>()
  const skipped: SkippedFile[] = []
  let done = 0
  await forEachConcurrent(files, 8, async ({ path }) => {
    signal?.throwIfAborted()
    try {
      digests.set(path, await index.digest(path, signal))
    } catch (error) {
      signal?.throwIfAborted()
      const { code } = error as NodeJS.ErrnoException // Of a call of node:fs.
      skipped.push({ file: path, reason: `cannot be read (${code})` })
    }
    onProgress?.({ task: 'reading', done: ++done, total: files.length, unit: 'images' })
  })
  return { digests, skipped }
}

/** A decoded image, with the EXIF orientation applied, on white where it is transparent. */
export interface DecodedImage extends Pixels {
  /** Whether the file has a single channel, apart from transparency. */
  readonly grey: boolean
}

/** An image whose size is known, but whose pixels are not decoded yet. */
export interface OpenedImage {
  /** Number of pixels, which decoding takes three bytes of memory for. */
  readonly pixelCount: number
  /** @throws Error if the image is not complete. */
  decode(): Promise<DecodedImage>
}

/** Images with more pixels are not decoded: a small file may claim any number. */
const maxImagePixels = 16_383 ** 2

/** @throws Error if the bytes are not an image, or one with too many pixels. */
export async function openImage(bytes: Buffer): Promise<OpenedImage> {
  const file = sharp(await readableImage(bytes), { failOn: 'error', limitInputPixels: false })
  const { width, height, channels } = await file.metadata()
  const pixelCount = width * height
  if (pixelCount > maxImagePixels)
    throw new Error(
      `an image may have at most 16383 × 16383 pixels, but this one has ${width} × ${height}`,
    )
  return {
    pixelCount,
    async decode() {
      const { data, info } = await file
        .autoOrient()
        .toColourspace('srgb')
        .flatten({ background: 'white' })
        .raw()
        .toBuffer({ resolveWithObject: true })
      return { pixels: data, width: info.width, height: info.height, grey: channels < 3 }
    },
  }
}

/** Opens a square image of RGB planes · 3 × edge × edge. */
export function openPlanes(planes: Uint8Array): OpenedImage {
  const pixelCount = planes.length / 3
  const edge = Math.sqrt(pixelCount)
  return {
    pixelCount,
    async decode() {
      const pixels = planes.map((_, i) => planes[(i % 3) * pixelCount + Math.floor(i / 3)])
      return { pixels, width: edge, height: edge, grey: false }
    },
  }
}

/** @throws Error if the bytes are not a complete image, or one with too many pixels. */
export const decodeImage = async (bytes: Buffer): Promise<DecodedImage> =>
  (await openImage(bytes)).decode()

/** An image or its central part, resized to a square. */
export interface Square {
  /** RGB bytes · edge × edge × 3. */
  readonly pixels: Uint8Array
  /** Width / height of the area before it was resized. */
  readonly aspect: number
}

/** The whole image stretched to a square, which training crops are taken from. */
export async function trainingSquare(image: DecodedImage, edge: number): Promise<Square> {
  if (image.width === edge && image.height === edge) return { pixels: image.pixels, aspect: 1 }
  const stretched = sharpOf(image).resize(edge, edge, { fit: 'fill', kernel: 'lanczos3' })
  return { pixels: await stretched.raw().toBuffer(), aspect: image.width / image.height }
}

/**
 * The network's input in validation: the central square, a share of the shorter side, resized by a
 * Lanczos filter. Exported models hold the same preprocessing, so that they see the same images.
 */
export async function validationSquare(
  image: DecodedImage,
  size: number,
  share: number,
): Promise<Square> {
  const [width, height] = limitedSize(image.width, image.height)
  const limited =
    width === image.width && height === image.height
      ? image.pixels
      : await sharpOf(image)
          .resize(width, height, { fit: 'fill', kernel: 'lanczos3' })
          .raw()
          .toBuffer()
  return { pixels: resizeCentre({ pixels: limited, width, height }, size, share), aspect: 1 }
}

const sharpOf = ({ pixels, width, height }: DecodedImage): Sharp =>
  sharp(pixels, { raw: { width, height, channels: 3 } })

/** Runs a task for every item, at most `limit` at a time. After an error no further task starts. */
export async function forEachConcurrent<T>(
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
