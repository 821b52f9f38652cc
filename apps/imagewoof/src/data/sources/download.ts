import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import { Failure, messageOf } from '../../failure.ts'
import { withLock } from '../../lock.ts'
import { fileDigest } from '../digest-index.ts'
import type { ProgressOptions } from '../progress.ts'

/** The expected content of a download. */
export interface ArchiveFile {
  /** In bytes. */
  readonly size: number
  readonly md5: string
}

/**
 * Downloads a file and checks its size and MD5 sum, if they are known. An incomplete download is kept as
 * `<path>.part`, and resumed by the next call. A file without a known checksum is resumed only if the
 * server says that it is unchanged; its version is kept as `<path>.version`.
 *
 * @throws {Failure} If another process downloads it, the server cannot be reached, the response is an error, or the file differs.
 * @throws the signal's reason if it aborts.
 */
export async function download(
  url: string,
  path: string,
  { size, md5, ...progress }: Partial<ArchiveFile> & ProgressOptions,
): Promise<void> {
  await withLock(`${path}.lock`, `the download of ${url}`, async () => {
    const partial = `${path}.part`
    const version = md5 === undefined ? `${path}.version` : undefined
    const isComplete = size !== undefined && (await sizeOf(partial)) === size
    if (!isComplete) await downloadRest(url, partial, { size, version, ...progress })
    if (md5 !== undefined) {
      const digest = await fileDigest(partial, 'md5', progress.signal)
      if (digest !== md5) {
        await rm(partial)
        throw new Failure(`${url} must have the MD5 sum ${md5}, but has ${digest}; it was removed`)
      }
    }
    await rename(partial, path)
    if (version !== undefined) await rm(version, { force: true })
  })
}

interface RestOptions extends ProgressOptions {
  /** The expected size of the whole file, in bytes. */
  readonly size: number | undefined
  /** The file that holds the ETag or date of the partial file; undefined if a checksum is known. */
  readonly version: string | undefined
}

async function downloadRest(
  url: string,
  partial: string,
  { size, version, onProgress, signal }: RestOptions,
): Promise<void> {
  const known = version === undefined ? undefined : await readFile(version, 'utf8').catch(() => '')
  const have = known === '' ? 0 : await sizeOf(partial)
  const response = await request(url, { begin: have, version: known || undefined, signal })
  const begin = firstByteOf(response)
  const length = response.headers.get('content-length')
  const total = length === null ? size : begin + Number(length)
  if (size !== undefined && total !== size) {
    await response.body?.cancel()
    await rm(partial, { force: true })
    throw new Failure(`${url} must have ${size} bytes, but has ${total}`)
  }
  const file = await open(partial, begin > 0 ? 'r+' : 'w')
  let done = begin
  try {
    if (version !== undefined) await replaceFile(version, Buffer.from(versionOf(response)))
    for await (const bytes of response.body ?? []) {
      await file.write(bytes, 0, bytes.length, done)
      done += bytes.length
      onProgress?.({ task: `downloading ${basename(url)}`, done, total, unit: 'bytes' })
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw incomplete(url, done, total, `: ${messageOf(error)}`)
  } finally {
    await file.close()
  }
  if (total !== undefined && done !== total) throw incomplete(url, done, total, '')
}

const incomplete = (
  url: string,
  done: number,
  total: number | undefined,
  reason: string,
): Failure =>
  new Failure(
    `${url} broke off after ${done} of ${total ?? 'unknown'} bytes${reason}; run again to resume`,
  )

/** What If-Range accepts to identify a version of a file; empty if the server sends neither. */
function versionOf({ headers }: Response): string {
  const tag = headers.get('etag')
  return tag !== null && !tag.startsWith('W/') ? tag : (headers.get('last-modified') ?? '')
}

interface RequestOptions {
  /** Offset of the first byte to request. */
  readonly begin: number
  /** Request the whole file if its version is another one. */
  readonly version: string | undefined
  readonly signal: AbortSignal | undefined
}

async function request(url: string, { begin, version, signal }: RequestOptions): Promise<Response> {
  const headers = {
    'accept-encoding': 'identity',
    ...(begin > 0 && { range: `bytes=${begin}-` }),
    ...(begin > 0 && version !== undefined && { 'if-range': version }),
  }
  const response = await fetch(url, { headers, signal: signal ?? null }).catch((error) => {
    signal?.throwIfAborted()
    const cause = error instanceof Error && error.cause ? error.cause : error
    throw new Failure(`${url} cannot be reached: ${messageOf(cause)}`)
  })
  if (response.ok) return response
  await response.body?.cancel()
  // Range not satisfiable: the partial file is longer than the server's file.
  if (response.status === 416) return request(url, { begin: 0, version: undefined, signal })
  throw new Failure(`${url}: the server responded ${response.status} ${response.statusText}`)
}

/** The offset of the response's first byte: 0 from servers that ignore ranges. */
function firstByteOf(response: Response): number {
  const range = response.headers.get('content-range')?.match(/^bytes (\d+)-/)
  return response.status === 206 && range ? Number(range[1]) : 0
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined)
  return found?.size ?? 0
}
