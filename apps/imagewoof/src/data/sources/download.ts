import { open, rename, rm, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { Failure, messageOf } from '../../failure.ts'
import type { Attendance } from '../progress.ts'
import type { Archive } from './archives.ts'
import { digestOf } from './digest.ts'

/** Where a download that has not ended lies. */
const partOf = (path: string): string => `${path}.part`

/**
 * Fetches a file and checks it. What has arrived before a download broke off is kept in a file beside
 * it, and not fetched again.
 *
 * @throws {Failure} If the server does not answer well, or the file is not the one that is expected.
 */
export async function download(
  url: string,
  path: string,
  { size, md5, ...attendance }: Archive & Attendance,
): Promise<void> {
  const part = partOf(path)
  if ((await sizeOf(part)) !== size) await fetchRest(url, part, { size, ...attendance })
  const found = await digestOf(part, 'md5', attendance.signal)
  if (found !== md5) {
    await rm(part)
    throw new Failure(`${url} must have the MD5 sum ${md5}, but has ${found}; it was removed`)
  }
  await rename(part, path)
}

async function fetchRest(
  url: string,
  part: string,
  { size, onProgress, signal }: Pick<Archive, 'size'> & Attendance,
): Promise<void> {
  const response = await responseOf(url, await sizeOf(part), signal)
  const begin = firstByteOf(response)
  const length = Number(response.headers.get('content-length') ?? size - begin)
  if (begin + length !== size) {
    await response.body?.cancel()
    await rm(part, { force: true })
    throw new Failure(`${url} must have ${size} bytes, but has ${begin + length}`)
  }
  const file = await open(part, begin > 0 ? 'r+' : 'w')
  let done = begin
  try {
    for await (const bytes of response.body ?? []) {
      await file.write(bytes, 0, bytes.length, done)
      done += bytes.length
      onProgress?.({ task: `downloading ${basename(url)}`, done, total: size, unit: 'bytes' })
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw brokenOff(url, done, size, `: ${messageOf(error)}`)
  } finally {
    await file.close()
  }
  if (done !== size) throw brokenOff(url, done, size, '')
}

const brokenOff = (url: string, done: number, size: number, why: string): Failure =>
  new Failure(
    `${url} broke off after ${done} of ${size} bytes${why}; try again to go on from there`,
  )

async function responseOf(url: string, begin: number, signal?: AbortSignal): Promise<Response> {
  const headers = begin > 0 ? { Range: `bytes=${begin}-` } : {}
  const response = await fetch(url, { headers, signal: signal ?? null }).catch((error) => {
    signal?.throwIfAborted()
    const cause = error instanceof Error && error.cause ? error.cause : error
    throw new Failure(`${url} cannot be reached: ${messageOf(cause)}`)
  })
  if (response.ok) return response
  await response.body?.cancel()
  // More than the server has was there already.
  if (response.status === 416) return responseOf(url, 0, signal)
  throw new Failure(`${url} was answered by ${response.status} ${response.statusText}`)
}

/** Servers that know no ranges send the whole. */
function firstByteOf(response: Response): number {
  const range = response.headers.get('content-range')?.match(/^bytes (\d+)-/)
  return response.status === 206 && range ? Number(range[1]) : 0
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined)
  return found?.size ?? 0
}
