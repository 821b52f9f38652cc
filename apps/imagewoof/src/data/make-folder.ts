import { mkdir } from 'node:fs/promises'
import { Failure } from '../failure.ts'

/**
 * Makes a folder of the cache, if it is not there.
 *
 * @throws {Failure} If it cannot be made.
 */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new Failure(`the cache folder ${path} cannot be written: ${error.code}`)
  })
}
