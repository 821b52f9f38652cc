import { createHash } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryPath } from '@diffgrad/onnxruntime/node'
import * as z from 'zod'

/** Images per chunk. An interrupted decoding loses the images of the chunks that are not complete. */
export const chunkLength = 64

/** What decoding an image file gave besides its pixels. */
export type DecodedFile =
  | {
      /** Width / height of the image before it was resized to a square. */
      readonly aspect: number
      /** Whether the file has a single channel. */
      readonly grey: boolean
    }
  | {
      /** Why it cannot be decoded. */
      readonly reason: string
    }

/** Consecutive images of a split. */
export interface Chunk {
  readonly files: readonly DecodedFile[]
  /** RGB bytes · decoded files × size × size × 3. */
  readonly pixels: Uint8Array
}

const headerSchema = z.object({
  files: z.array(
    z.union([
      z.strictObject({ aspect: z.number().positive(), grey: z.boolean() }),
      z.strictObject({ reason: z.string() }),
    ]),
  ),
  sha256: z.string(),
})

/**
 * The chunks of a split in a folder of the cache. Each is a file: a line of JSON with the decoded files and
 * a checksum, and the pixels. A chunk that is truncated or changed is not there.
 */
export class ChunkFiles {
  readonly #folder: string
  readonly #split: string

  /** @param split - begins the names of the files. */
  constructor(folder: string, split: string) {
    this.#folder = folder
    this.#split = split
  }

  /**
   * Reads a chunk.
   *
   * @param length - number of its files.
   * @param square - bytes of one square.
   * @returns undefined if it is missing, truncated or changed.
   */
  async read(chunk: number, length: number, square: number): Promise<Chunk | undefined> {
    try {
      const bytes = await readFile(this.#pathOf(chunk))
      const end = bytes.indexOf('\n')
      const { files, sha256 } = headerSchema.parse(JSON.parse(bytes.toString('utf8', 0, end)))
      const pixels = bytes.subarray(end + 1)
      const decoded = files.filter((file) => !('reason' in file))
      const isWhole = files.length === length && pixels.length === decoded.length * square
      return isWhole && checksum({ files, pixels }) === sha256 ? { files, pixels } : undefined
    } catch {
      return undefined
    }
  }

  /** Writes a chunk. It is not flushed to the disk: after a power failure its checksum is wrong. */
  async write(chunk: number, { files, pixels }: Chunk): Promise<void> {
    const path = this.#pathOf(chunk)
    const temporary = temporaryPath(path)
    try {
      const file = await open(temporary, 'wx')
      try {
        await file.write(`${JSON.stringify({ files, sha256: checksum({ files, pixels }) })}\n`)
        await file.writeFile(pixels)
      } finally {
        await file.close()
      }
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }

  #pathOf(chunk: number): string {
    return join(this.#folder, `${this.#split}-${String(chunk).padStart(5, '0')}.chunk`)
  }
}

const checksum = ({ files, pixels }: Chunk): string =>
  createHash('sha256').update(JSON.stringify(files)).update(pixels).digest('hex')
