import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, win32 } from 'node:path'
import { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { temporaryPath } from '@diffgrad/onnxruntime/node'
import { extract, type ReadEntry } from 'tar'
import unbzip2 from 'unbzip2-stream'
import xz from 'xz-decompress'
import { openPromise } from 'yauzl'
import { Failure, messageOf } from '../../failure.ts'
import type { ProgressOptions } from '../progress.ts'

/**
 * Unpacks a zip, or a tar that is plain or compressed with gzip, bzip2 or xz, into a new folder. The
 * format is found by content. The folder appears only when it is complete.
 *
 * @throws {Failure} If the archive is broken, or holds links or paths outside its folder.
 * @throws the signal's reason if it aborts.
 */
export async function unpack(
  archive: string,
  folder: string,
  { onProgress, signal }: ProgressOptions = {},
): Promise<void> {
  const temporary = temporaryPath(folder)
  const task = `unpacking ${basename(archive)}`
  const extract = await extractorOf(archive)
  let done = 0
  const onFile = (): void => onProgress?.({ task, done: ++done, total: undefined, unit: 'images' })
  try {
    const files = join(temporary, 'files')
    await mkdir(files, { recursive: true })
    await extract(archive, files, { onFile, signal }).catch((error) => {
      signal?.throwIfAborted()
      if (error instanceof Failure) throw error
      throw new Failure(`${archive} cannot be unpacked: ${messageOf(error)}`)
    })
    signal?.throwIfAborted()
    await rename(files, folder).catch(async (error) => {
      // Another process may have unpacked the same archive meanwhile.
      if (!(await stat(folder).catch(() => undefined))) throw error
    })
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

interface ExtractOptions {
  /** Called for each file. */
  readonly onFile: () => void
  readonly signal: AbortSignal | undefined
}

type Extract = (archive: string, folder: string, options: ExtractOptions) => Promise<void>

async function extractTar(
  archive: string,
  folder: string,
  { onFile, signal }: ExtractOptions,
): Promise<void> {
  let violation: string | undefined
  await extract({
    file: archive,
    cwd: folder,
    strict: true,
    noMtime: true,
    filter(path, entry) {
      if ('type' in entry) violation ??= violationOf(path, entry) // Extracted entries have a type.
      return violation === undefined && !signal?.aborted
    },
    onReadEntry: ({ type }) => {
      if (type === 'File') onFile()
    },
  })
  if (violation !== undefined) throw new Failure(`${archive} is rejected: ${violation}`)
}

/**
 * Extracts a tar in two steps, because node-tar does not stop writing at once if its input breaks off.
 *
 * @param decompress - creates a stream from compressed to plain bytes.
 */
const extractCompressed =
  (decompress: () => NodeJS.ReadWriteStream): Extract =>
  async (archive, folder, options) => {
    const plain = `${folder}.tar`
    const { signal } = options
    await pipeline(createReadStream(archive), decompress(), createWriteStream(plain), {
      ...(signal && { signal }),
    }).catch((cause) => {
      signal?.throwIfAborted()
      if (cause.code) throw cause // Of the file system.
      throw new Failure(`${archive} cannot be unpacked: it is damaged or incomplete`, { cause })
    })
    await extractTar(plain, folder, options)
  }

const decompressXz = (): NodeJS.ReadWriteStream => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  // It extends the global class, which has the type of browsers.
  const decompressed = new xz.XzReadableStream(readable) as ReadableStream<Uint8Array>
  return Duplex.fromWeb({ readable: decompressed, writable })
}

async function extractZip(
  archive: string,
  folder: string,
  { onFile, signal }: ExtractOptions,
): Promise<void> {
  const zip = await openPromise(archive)
  for await (const entry of zip.eachEntry()) {
    signal?.throwIfAborted()
    const { fileName, externalFileAttributes } = entry
    // The upper half holds the mode of files that were packed on Unix.
    const isLink = ((externalFileAttributes >>> 16) & 0o170000) === 0o120000
    const type = isLink ? 'SymbolicLink' : fileName.endsWith('/') ? 'Directory' : 'File'
    const violation = violationOf(fileName, { type })
    if (violation !== undefined) throw new Failure(`${archive} is rejected: ${violation}`)
    if (entry.isEncrypted())
      throw new Failure(`${archive} is encrypted; unpack it with its password`)
    const path = join(folder, fileName)
    await mkdir(type === 'Directory' ? path : dirname(path), { recursive: true })
    if (type === 'Directory') continue
    await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(path))
    onFile()
  }
}

/** Signatures at the beginning of archives, and how to extract them. */
const signatures: readonly (readonly [hex: string, Extract])[] = [
  ['504b0304', extractZip],
  ['504b0506', extractZip], // Without files.
  ['1f8b', extractTar], // node-tar decompresses gzip itself.
  ['425a68', extractCompressed(() => unbzip2())],
  ['fd377a585a00', extractCompressed(() => decompressXz())],
]

/** Other files by their beginning, and what to do with them. */
const unsupported: readonly (readonly [hex: string, name: string])[] = [
  ['526172211a07', 'a RAR archive; unpack it, or pack it as zip'],
  ['377abcaf271c', 'a 7z archive; unpack it, or pack it as zip'],
  ['28b52ffd', 'compressed with zstd; unpack it, or pack it as tar.xz'],
  ['3c21', 'a web page; use the address of the file itself'],
  ['3c68746d6c', 'a web page; use the address of the file itself'],
  ['ffd8ff', 'a JPEG; pass the folder around its class folders'],
  ['89504e47', 'a PNG; pass the folder around its class folders'],
]

async function extractorOf(archive: string): Promise<Extract> {
  const file = await open(archive)
  try {
    const { buffer } = await file.read(Buffer.alloc(512), 0, 512, 0)
    const hex = buffer.toString('hex').toLowerCase()
    const found = signatures.find(([signature]) => hex.startsWith(signature))
    if (found) return found[1]
    const isTar = buffer.toString('latin1', 257, 262) === 'ustar' || /\.tar$/i.test(archive)
    if (isTar) return extractTar
    const other = unsupported.find(([signature]) => hex.startsWith(signature))
    throw new Failure(
      `${archive} must be a folder, a CSV, a zip, or a tar (plain, gz, bz2 or xz), but is ${other?.[1] ?? 'something else'}`,
    )
  } finally {
    await file.close()
  }
}

const allowedTypes = new Set(['File', 'OldFile', 'ContiguousFile', 'Directory'])

/** Why an entry of an archive must not be extracted; undefined if it may be. */
function violationOf(
  path: string,
  { type }: { readonly type: ReadEntry['type'] },
): string | undefined {
  const outside = isAbsolute(path) || win32.isAbsolute(path) || path.split(/[\\/]/).includes('..')
  if (outside) return `it holds ${path}, which is outside its folder`
  if (!allowedTypes.has(type))
    return `it holds ${path}, which must be a file or folder, but is of type ${type}`
  return undefined
}
