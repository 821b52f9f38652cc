import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Writes a file so that at every moment either the old or the new one is there, whole: the bytes go
 * into a file beside it, reach the disk, and only then take its name.
 *
 * @throws Error of the file system, such as ENOSPC when the disk is full; the old file is then kept.
 */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const beside = `${path}.${process.pid}.new`
  try {
    const file = await open(beside, 'w')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(beside, path)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
  await syncFolder(dirname(path))
}

/** The new name has to reach the disk too. Windows keeps it without being asked, and cannot be asked. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
