import { mkdir, rename, rm } from 'node:fs/promises'
import { basename, isAbsolute, win32 } from 'node:path'
import { extract, type ReadEntry } from 'tar'
import { Failure, messageOf } from '../../failure.ts'
import type { ProgressOptions } from '../../terminal/data-progress.ts'

/**
 * Unpacks a `.tar` or `.tgz` into a new folder. The folder appears only when it is complete.
 *
 * @throws {Failure} If the archive is broken, or holds links or paths outside its folder.
 * @throws the signal's reason if it aborts.
 */
export async function unpack(
  archive: string,
  folder: string,
  { onProgress, signal }: ProgressOptions = {},
): Promise<void> {
  const temporary = `${folder}.${process.pid}.new`
  const task = `unpacking ${basename(archive)}`
  let violation: string | undefined
  let done = 0
  try {
    await mkdir(temporary, { recursive: true })
    await extract({
      file: archive,
      cwd: temporary,
      strict: true,
      noMtime: true,
      filter(path, entry) {
        if ('type' in entry) violation ??= violationOf(path, entry) // Extracted entries have a type.
        return violation === undefined && !signal?.aborted
      },
      onReadEntry(entry) {
        if (entry.type === 'File') done++
        onProgress?.({ task, done, total: undefined, unit: 'images' })
      },
    }).catch((error) => {
      throw new Failure(`${archive} cannot be unpacked: ${messageOf(error)}`)
    })
    signal?.throwIfAborted()
    if (violation) throw new Failure(`${archive} is rejected: ${violation}`)
    await rename(temporary, folder)
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

const allowedTypes = new Set(['File', 'OldFile', 'ContiguousFile', 'Directory'])

/** Why an entry of an archive must not be extracted; undefined if it may be. */
function violationOf(path: string, { type }: Pick<ReadEntry, 'type'>): string | undefined {
  const outside = isAbsolute(path) || win32.isAbsolute(path) || path.split(/[\\/]/).includes('..')
  if (outside) return `it holds ${path}, which is outside its folder`
  if (!allowedTypes.has(type))
    return `it holds ${path}, which must be a file or folder, but is of type ${type}`
  return undefined
}
