import { mkdir, rename, rm } from 'node:fs/promises'
import { basename, isAbsolute, win32 } from 'node:path'
import { extract, type ReadEntry } from 'tar'
import { Failure, messageOf } from '../../failure.ts'
import type { Attendance } from '../progress.ts'

/**
 * Unpacks a `.tar` or `.tgz` into a folder that is not there yet, and that is there only when all of
 * the archive is.
 *
 * @throws {Failure} If the archive is broken, or holds links or paths that lead out of the folder.
 */
export async function unpack(
  archive: string,
  folder: string,
  { onProgress, signal }: Attendance = {},
): Promise<void> {
  const beside = `${folder}.${process.pid}.new`
  const task = `unpacking ${basename(archive)}`
  let offence: string | undefined
  let done = 0
  try {
    await mkdir(beside, { recursive: true })
    await extract({
      file: archive,
      cwd: beside,
      strict: true,
      noMtime: true,
      filter(path, entry) {
        if ('type' in entry) offence ??= offenceOf(path, entry) // What is unpacked always has one.
        return offence === undefined && !signal?.aborted
      },
      onReadEntry(entry) {
        if (entry.type === 'File') done++
        onProgress?.({ task, done, total: undefined, unit: 'pictures' })
      },
    }).catch((error) => {
      throw new Failure(`${archive} cannot be unpacked: ${messageOf(error)}`)
    })
    signal?.throwIfAborted()
    if (offence) throw new Failure(`${archive} is refused: ${offence}`)
    await rename(beside, folder)
  } finally {
    await rm(beside, { recursive: true, force: true })
  }
}

const plain = new Set(['File', 'OldFile', 'ContiguousFile', 'Directory'])

/** What is wrong with an entry of an archive, if anything. */
function offenceOf(path: string, { type }: Pick<ReadEntry, 'type'>): string | undefined {
  const leadsOut = isAbsolute(path) || win32.isAbsolute(path) || path.split(/[\\/]/).includes('..')
  if (leadsOut) return `it holds ${path}, which leads out of its folder`
  if (!plain.has(type)) return `it holds ${path}, which is no file or folder but of type ${type}`
  return undefined
}
