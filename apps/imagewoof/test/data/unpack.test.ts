import { readdirSync } from 'node:fs'
import { link, readFile, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { create } from 'tar'
import { expect, test } from 'vitest'
import { unpack } from '../../src/data/sources/unpack.ts'
import { emptyFolder, folderOf } from './folder.ts'

/** Packs a folder's files as they are named, and gives the archive. */
async function packed(cwd: string, files: readonly string[], gzip = true): Promise<string> {
  const file = join(emptyFolder(), 'archive.tgz')
  await create({ file, cwd, gzip, preservePaths: true }, [...files])
  return file
}

test.each([true, false])('an archive gives back what was packed (compressed: %s)', async (gzip) => {
  const folder = await folderOf({ 'train/cat/1.jpg': 'one', 'val/cat/2.jpg': 'two' })
  const target = join(emptyFolder(), 'unpacked')
  await unpack(await packed(folder, ['train', 'val'], gzip), target)
  expect(await readFile(join(target, 'val/cat/2.jpg'), 'utf8')).toBe('two')
})

const hostile: Readonly<Record<string, (folder: string) => Promise<string>>> = {
  'leads out of its folder': (folder) => packed(join(folder, 'in'), ['a.txt', '../b.txt']),
  'holds /': async (folder) => packed(folder, [join(folder, 'b.txt')]),
  'of type SymbolicLink': async (folder) => {
    await symlink('/etc', join(folder, 'in/link'))
    return packed(folder, ['in'])
  },
  'of type Link': async (folder) => {
    await link(join(folder, 'b.txt'), join(folder, 'in/link'))
    return packed(folder, ['b.txt', 'in'])
  },
}

test.each(Object.entries(hostile))('an archive is refused that %s', async (complaint, pack) => {
  const archive = await pack(await folderOf({ 'in/a.txt': 'a', 'b.txt': 'b' }))
  const around = emptyFolder()
  await expect(unpack(archive, join(around, 'unpacked'))).rejects.toThrow(complaint)
  expect(readdirSync(around)).toEqual([])
})

test('an archive that is cut off, or is none, is refused, and nothing is left', async () => {
  const whole = await readFile(await packed(await folderOf({ 'a.jpg': undefined }), ['a.jpg']))
  const around = emptyFolder()
  for (const bytes of [whole.subarray(0, whole.length / 2), Buffer.from('not an archive')]) {
    const archive = join(emptyFolder(), 'broken.tgz')
    await writeFile(archive, bytes)
    const unpacked = unpack(archive, join(around, 'unpacked'))
    await expect(unpacked).rejects.toThrow(`${basename(archive)} cannot be unpacked`)
  }
  expect(readdirSync(around)).toEqual([])
})
