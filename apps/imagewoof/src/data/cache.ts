import { createHash } from 'node:crypto'
import { mkdir, open, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import { z } from 'zod'
import { Failure } from '../failure.ts'
import { type DecodedSplit, sharedBytes } from './decode.ts'

/** The default folder for downloaded, unpacked and decoded data. */
export const cacheFolder = (): string =>
  process.env.IMAGEWOOF_CACHE ?? join(homedir(), '.cache', 'imagewoof')

/**
 * Creates a folder of the cache unless it exists.
 *
 * @throws {Failure} If it cannot be created.
 */
export async function createCacheFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new Failure(`the cache folder ${path} cannot be written: ${error.code}`)
  })
}

/** The decoded images of a data set, as the cache stores them. */
export interface DecodedDataset {
  readonly train: DecodedSplit
  readonly validation: DecodedSplit
}

/** A split in index.json: its pixels are in a file beside it, and `pixels` is their SHA-256. */
interface IndexedSplit extends Omit<DecodedSplit, 'pixels'> {
  readonly pixels: string
}

const splitSchema = z.object({
  size: z.int().positive(),
  files: z.array(z.string()),
  labels: z.array(z.int().nonnegative()),
  aspects: z.array(z.number().positive()),
  grey: z.int().nonnegative(),
  skipped: z.array(z.object({ file: z.string(), reason: z.string() })),
  pixels: z.string(),
})

const indexSchema: z.ZodType<{
  readonly train: IndexedSplit
  readonly validation: IndexedSplit
}> = z.object({ train: splitSchema, validation: splitSchema })

/** Writes decoded images to a folder. index.json is written last: without it the folder is ignored. */
export async function writeDecoded(
  folder: string,
  { train, validation }: DecodedDataset,
): Promise<void> {
  await createCacheFolder(folder)
  const index = {
    train: await writeSplit(join(folder, 'train.bin'), train),
    validation: await writeSplit(join(folder, 'validation.bin'), validation),
  }
  await replaceFile(join(folder, 'index.json'), Buffer.from(JSON.stringify(index)))
}

/** The decoded images of a folder; undefined if any of it is missing, truncated or changed. */
export async function readDecoded(folder: string): Promise<DecodedDataset | undefined> {
  try {
    const text = await readFile(join(folder, 'index.json'), 'utf8')
    const { train, validation } = indexSchema.parse(JSON.parse(text))
    return {
      train: await readSplit(join(folder, 'train.bin'), train),
      validation: await readSplit(join(folder, 'validation.bin'), validation),
    }
  } catch {
    return undefined
  }
}

async function writeSplit(path: string, { pixels, ...rest }: DecodedSplit): Promise<IndexedSplit> {
  await replaceFile(path, pixels)
  return { ...rest, pixels: sha256(pixels) }
}

async function readSplit(
  path: string,
  { pixels: digest, ...rest }: IndexedSplit,
): Promise<DecodedSplit> {
  const pixels = sharedBytes(3 * rest.size * rest.size * rest.files.length)
  const file = await open(path)
  try {
    for (let done = 0; done < pixels.length; ) {
      const { bytesRead } = await file.read(pixels, done, Math.min(chunk, pixels.length - done))
      if (bytesRead === 0) throw new Error('truncated')
      done += bytesRead
    }
  } finally {
    await file.close()
  }
  if (sha256(pixels) !== digest) throw new Error('changed')
  return { ...rest, pixels }
}

/** Bytes per call: some functions of Node accept at most 2³¹. */
const chunk = 2 ** 28

function sha256(bytes: Uint8Array): string {
  const hash = createHash('sha256')
  for (let i = 0; i < bytes.length; i += chunk) hash.update(bytes.subarray(i, i + chunk))
  return hash.digest('hex')
}
