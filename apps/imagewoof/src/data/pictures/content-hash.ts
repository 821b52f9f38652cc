import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Attendance } from '../progress.ts'
import { atOnce } from './at-once.ts'
import type { Listing } from './list.ts'

/** SHA-256 over paths and bytes of all files; the classes are in the paths. */
export async function contentHash(
  { root, train, validation }: Listing,
  { onProgress, signal }: Attendance = {},
): Promise<string> {
  const files = [...train, ...validation]
  const lines: string[] = []
  let done = 0
  await atOnce(files, 8, async ({ path }, i) => {
    signal?.throwIfAborted()
    const bytes = await readFile(join(root, path))
    lines[i] = `${createHash('sha256').update(bytes).digest('hex')}  ${path}\n`
    onProgress?.({ task: 'reading', done: ++done, total: files.length, unit: 'pictures' })
  })
  return createHash('sha256').update(lines.join('')).digest('hex')
}
