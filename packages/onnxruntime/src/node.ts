import { randomUUID } from 'node:crypto'
import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'

/**
 * Replaces a file atomically: at every moment, `path` holds either the old or the new content, whole.
 * Writes a temporary file in the same folder, flushes it to the disk and renames it. Of calls that
 * overlap, the last to finish decides the content. Then removes what killed processes of this host
 * left of their own calls for the same path.
 *
 * @throws Error of the file system, such as ENOSPC if the disk is full, which names a path. The old file
 * is then kept.
 */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = temporaryPath(path)
  try {
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw withPath(error, path)
  }
  await syncFolder(dirname(path))
  await removeStale(dirname(path), temporaryPrefix(path))
}

/** Adds a path to an error of a file handle, which has none, as Node does in errors with a path. */
const withPath = (error: unknown, path: string): unknown =>
  error instanceof Error && 'code' in error && !('path' in error)
    ? Object.assign(error, { path, message: `${error.message} '${path}'` })
    : error

/**
 * A new name beside a path, for a file or folder that is renamed to the path when it is complete. If the
 * process is killed before, `removeLeftovers` recognizes the name.
 */
export const temporaryPath = (path: string): string =>
  join(dirname(path), `${temporaryPrefix(path)}${process.pid}.${randomUUID()}.new`)

/**
 * Removes the temporary files and folders of `replaceFile` and `temporaryPath` in a folder whose processes,
 * on this host, have ended. What cannot be removed is left to the next call.
 */
export const removeLeftovers = (folder: string): Promise<void> => removeStale(folder, '')

/** How the names of a path's temporary files begin. Process identifiers are unique on a host only. */
const temporaryPrefix = (path: string): string => `${basename(path)}.${hostname()}.`

/** The rest of such a name: the process that writes the file, and a name of its own. */
const temporaryRest = /^(?<pid>\d+)\.[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\.new$/

/** Removes a folder's stale temporary files whose names begin with a prefix. */
async function removeStale(folder: string, prefix: string): Promise<void> {
  const host = `.${hostname()}.`
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(prefix)) continue
    const rest = name.slice(name.lastIndexOf(host) + host.length)
    const { pid } = (name.includes(host) && rest.match(temporaryRest)?.groups) || {}
    const path = join(folder, name)
    if (pid !== undefined && (await isStale(path, Number(pid))))
      await rm(path, { recursive: true, force: true }).catch(() => undefined)
  }
}

/** Whether the process that wrote a temporary file has ended. An earlier process may have had our identifier. */
async function isStale(file: string, pid: number): Promise<boolean> {
  if (pid !== process.pid) return !isRunning(pid)
  const started = Date.now() - 1000 * process.uptime()
  return stat(file).then(
    ({ mtimeMs }) => mtimeMs < started,
    () => false,
  )
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // EPERM means that it runs as another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Flushes a rename to the disk. Windows cannot open a folder for that, and flushes renames itself. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
