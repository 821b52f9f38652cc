import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { Failure, messageOf } from '../../failure.ts'
import { atOnce } from '../pictures/at-once.ts'
import { decode, type Picture, type Square } from '../pictures/decode.ts'
import type { Listed } from '../pictures/list.ts'
import type { StoredSplit } from './index-file.ts'

/** Pictures in hand at once: sharp works on as many, however many cores there are. */
const workers = 4

/** Decoded pictures of a split. */
export interface Decoded extends Omit<StoredSplit, 'pixels'> {
  readonly pixels: Uint8Array<SharedArrayBuffer>
}

/** How the squares of a split are made. */
export interface Squares {
  /** Their edge, in pixels. */
  readonly size: number
  readonly squareOf: (picture: Picture, size: number) => Promise<Square>
}

/** What is told of every file that is done. */
interface Listeners {
  readonly onFile: () => void
  readonly signal?: AbortSignal | undefined
}

/**
 * Decodes and resizes the pictures of a split; what is no picture is left out, and listed.
 *
 * @throws {Failure} If there are more pictures than memory takes.
 */
export async function decodeSplit(
  root: string,
  listed: readonly Listed[],
  { size, squareOf }: Squares,
  { onFile, signal }: Listeners,
): Promise<Decoded> {
  sharp.concurrency(1) // The threads work on a picture each.
  const bytes = 3 * size * size
  const pixels = sharedBytes(listed.length * bytes)
  const aspects: number[] = []
  const reasons = new Map<number, string>()
  let grey = 0
  await atOnce(listed, workers, async ({ path }, i) => {
    signal?.throwIfAborted()
    const file = await readFile(join(root, path))
    try {
      const picture = await decode(file)
      const square = await squareOf(picture, size)
      pixels.set(square.pixels, i * bytes)
      aspects[i] = square.aspect
      if (picture.grey) grey++
    } catch (error) {
      reasons.set(i, messageOf(error).trim().split('\n')[0])
    }
    onFile()
  })
  const good = [...listed.keys()].filter((i) => !reasons.has(i))
  for (const [to, from] of good.entries()) {
    if (to !== from) pixels.copyWithin(to * bytes, from * bytes, (from + 1) * bytes)
  }
  return {
    size,
    pixels: pixels.subarray(0, good.length * bytes),
    files: good.map((i) => listed[i].path),
    labels: good.map((i) => listed[i].label),
    aspects: good.map((i) => aspects[i]),
    grey,
    skipped: [...reasons]
      .sort(([a], [b]) => a - b)
      .map(([i, reason]) => ({ file: listed[i].path, reason })),
  }
}

/** @throws {Failure} If there is no room. */
export function sharedBytes(length: number): Uint8Array<SharedArrayBuffer> {
  try {
    return new Uint8Array(new SharedArrayBuffer(length))
  } catch {
    const gigabytes = (length / 1e9).toFixed(1)
    throw new Failure(
      `decoded pictures take ${gigabytes} GB, more than memory has; try a smaller size`,
    )
  }
}
