import { readdirSync } from 'node:fs'
import { link, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { create } from 'tar'
import { expect, test } from 'vitest'
import { unpack } from '../../src/data/sources/unpack.ts'
import { folderOf, temporaryFolder } from '../images.ts'

/** Packs files of a folder without changing their paths, and returns the archive's path. */
async function pack(cwd: string, files: readonly string[], gzip = true): Promise<string> {
  const file = join(temporaryFolder(), 'archive.tgz')
  await create({ file, cwd, gzip, preservePaths: true }, [...files])
  return file
}

test.each([true, false])('an archive is unpacked (compressed: %s)', async (gzip) => {
  const folder = await folderOf({ 'train/cat/1.jpg': 'one', 'val/cat/2.jpg': 'two' })
  const target = join(temporaryFolder(), 'unpacked')
  await unpack(await pack(folder, ['train', 'val'], gzip), target)
  expect(await readFile(join(target, 'val/cat/2.jpg'), 'utf8')).toBe('two')
})

const hostile: Readonly<Record<string, (folder: string) => Promise<string>>> = {
  'is outside its folder': (folder) => pack(join(folder, 'in'), ['a.txt', '../b.txt']),
  'holds /': async (folder) => pack(folder, [join(folder, 'b.txt')]),
  'of type SymbolicLink': async (folder) => {
    await symlink('/etc', join(folder, 'in/link'))
    return pack(folder, ['in'])
  },
  'of type Link': async (folder) => {
    await link(join(folder, 'b.txt'), join(folder, 'in/link'))
    return pack(folder, ['b.txt', 'in'])
  },
}

test.each(Object.entries(hostile))(
  'an archive is rejected with the message: %s',
  async (message, create) => {
    const archive = await create(await folderOf({ 'in/a.txt': 'a', 'b.txt': 'b' }))
    const parent = temporaryFolder()
    await expect(unpack(archive, join(parent, 'unpacked'))).rejects.toThrow(message)
    expect(readdirSync(parent)).toEqual([])
  },
)

test('a truncated archive and a file that is no archive are rejected, and no files are left', async () => {
  const whole = await readFile(await pack(await folderOf({ 'a.jpg': undefined }), ['a.jpg']))
  const parent = temporaryFolder()
  const broken = [
    [whole.subarray(0, whole.length / 2), 'broken.tgz cannot be unpacked'],
    [Buffer.from('not an archive'), 'broken.tgz must be a folder, a CSV, a zip, or a tar'],
  ] as const
  for (const [bytes, message] of broken) {
    const archive = join(temporaryFolder(), 'broken.tgz')
    await writeFile(archive, bytes)
    await expect(unpack(archive, join(parent, 'unpacked'))).rejects.toThrow(message)
  }
  expect(readdirSync(parent)).toEqual([])
})
