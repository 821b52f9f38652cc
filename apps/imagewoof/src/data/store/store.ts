import { createHash } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import { makeFolder } from '../make-folder.ts'
import { type Decoded, sharedBytes } from './decoded.ts'
import { parseIndex, type StoredSplit } from './index-file.ts'

/** The decoded pictures of a data set. */
export interface Stock {
  readonly train: Decoded
  readonly validation: Decoded
}

/** Keeps decoded pictures in a folder. The index comes last: without it there is nothing. */
export async function writeStock(folder: string, { train, validation }: Stock): Promise<void> {
  await makeFolder(folder)
  const written = {
    train: await writeSplit(join(folder, 'train.bin'), train),
    validation: await writeSplit(join(folder, 'validation.bin'), validation),
  }
  await replaceFile(join(folder, 'index.json'), Buffer.from(JSON.stringify(written)))
}

/** What lies in a folder; nothing, if any of it is missing, cut off or changed. */
export async function readStock(folder: string): Promise<Stock | undefined> {
  try {
    const { train, validation } = parseIndex(await readFile(join(folder, 'index.json'), 'utf8'))
    return {
      train: await readSplit(join(folder, 'train.bin'), train),
      validation: await readSplit(join(folder, 'validation.bin'), validation),
    }
  } catch {
    return undefined
  }
}

async function writeSplit(path: string, { pixels, ...rest }: Decoded): Promise<StoredSplit> {
  await replaceFile(path, pixels)
  return { ...rest, pixels: digestOf(pixels) }
}

async function readSplit(path: string, { pixels: digest, ...rest }: StoredSplit): Promise<Decoded> {
  const pixels = sharedBytes(3 * rest.size * rest.size * rest.files.length)
  const file = await open(path)
  try {
    for (let done = 0; done < pixels.length; ) {
      const { bytesRead } = await file.read(pixels, done, Math.min(piece, pixels.length - done))
      if (bytesRead === 0) throw new Error('cut off')
      done += bytesRead
    }
  } finally {
    await file.close()
  }
  if (digestOf(pixels) !== digest) throw new Error('changed')
  return { ...rest, pixels }
}

/** Bytes handled at a time: some calls of Node take no more than 2³¹. */
const piece = 2 ** 28

function digestOf(bytes: Uint8Array): string {
  const hash = createHash('sha256')
  for (let i = 0; i < bytes.length; i += piece) hash.update(bytes.subarray(i, i + piece))
  return hash.digest('hex')
}
