import { z } from 'zod'

/** A file that is no picture, and why. */
export interface Skipped {
  /** Relative to the data set. */
  readonly file: string
  readonly reason: string
}

/** What is known of the stored squares of a split. */
export interface StoredSplit {
  /** Edge of the squares, in pixels. */
  readonly size: number
  /** Relative to the data set. */
  readonly files: readonly string[]
  /** Of each file, an index into the classes. */
  readonly labels: readonly number[]
  /** Of each picture, width over height before it became a square. */
  readonly aspects: readonly number[]
  /** How many files had one channel. */
  readonly grey: number
  readonly skipped: readonly Skipped[]
  /** SHA-256 of the squares. */
  readonly pixels: string
}

/** What index.json says of the squares beside it. */
export interface Index {
  readonly train: StoredSplit
  readonly validation: StoredSplit
}

const split = z.object({
  size: z.int().positive(),
  files: z.array(z.string()),
  labels: z.array(z.int().nonnegative()),
  aspects: z.array(z.number().positive()),
  grey: z.int().nonnegative(),
  skipped: z.array(z.object({ file: z.string(), reason: z.string() })),
  pixels: z.string(),
})

const schema: z.ZodType<Index> = z.object({ train: split, validation: split })

/** @throws ZodError or SyntaxError if the text is no index. */
export const parseIndex = (text: string): Index => schema.parse(JSON.parse(text))
