import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { Failure, messageOf } from '../../failure.ts'
import type { ProgressOptions } from '../../terminal/data-progress.ts'

/** The expected content of a download. */
export interface ArchiveFile {
  /** In bytes. */
  readonly size: number
  readonly md5: string
}

/**
 * Downloads a file and checks its size and MD5 sum. An incomplete download is kept as `<path>.part`, and
 * resumed by the next call.
 *
 * @throws {Failure} If the server cannot be reached, the response is an error, or the file differs.
 * @throws the signal's reason if it aborts.
 */
export async function download(
  url: string,
  path: string,
  { size, md5, ...progress }: ArchiveFile & ProgressOptions,
): Promise<void> {
  const partial = `${path}.part`
  if ((await sizeOf(partial)) !== size) await downloadRest(url, partial, { size, ...progress })
  const digest = await fileDigest(partial, 'md5', progress.signal)
  if (digest !== md5) {
    await rm(partial)
    throw new Failure(`${url} must have the MD5 sum ${md5}, but has ${digest}; it was removed`)
  }
  await rename(partial, path)
}

async function downloadRest(
  url: string,
  partial: string,
  { size, onProgress, signal }: Pick<ArchiveFile, 'size'> & ProgressOptions,
): Promise<void> {
  const response = await request(url, await sizeOf(partial), signal)
  const begin = firstByteOf(response)
  const length = Number(response.headers.get('content-length') ?? size - begin)
  if (begin + length !== size) {
    await response.body?.cancel()
    await rm(partial, { force: true })
    throw new Failure(`${url} must have ${size} bytes, but has ${begin + length}`)
  }
  const file = await open(partial, begin > 0 ? 'r+' : 'w')
  let done = begin
  try {
    for await (const bytes of response.body ?? []) {
      await file.write(bytes, 0, bytes.length, done)
      done += bytes.length
      onProgress?.({ task: `downloading ${basename(url)}`, done, total: size, unit: 'bytes' })
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw incomplete(url, done, size, `: ${messageOf(error)}`)
  } finally {
    await file.close()
  }
  if (done !== size) throw incomplete(url, done, size, '')
}

const incomplete = (url: string, done: number, size: number, reason: string): Failure =>
  new Failure(`${url} broke off after ${done} of ${size} bytes${reason}; run again to resume`)

async function request(url: string, begin: number, signal?: AbortSignal): Promise<Response> {
  const headers = begin > 0 ? { Range: `bytes=${begin}-` } : {}
  const response = await fetch(url, { headers, signal: signal ?? null }).catch((error) => {
    signal?.throwIfAborted()
    const cause = error instanceof Error && error.cause ? error.cause : error
    throw new Failure(`${url} cannot be reached: ${messageOf(cause)}`)
  })
  if (response.ok) return response
  await response.body?.cancel()
  // Range not satisfiable: the partial file is longer than the server's file.
  if (response.status === 416) return request(url, 0, signal)
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

/**
 * The checksum of a file, in hexadecimal.
 *
 * @throws the signal's reason if it aborts.
 */
export async function fileDigest(
  path: string,
  algorithm: 'md5' | 'sha256',
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash(algorithm)
  for await (const bytes of createReadStream(path)) {
    signal?.throwIfAborted()
    hash.update(bytes)
  }
  return hash.digest('hex')
}
