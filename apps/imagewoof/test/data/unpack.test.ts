import { readdirSync, readFileSync } from 'node:fs'
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

/** A zip of one uncompressed entry. yauzl checks sizes, but no CRC. */
function zipOf(name: string, content: string, mode: number, flags = 0): Buffer {
  const file = Buffer.from(name)
  // An encrypted entry, by bit 0 of its flags, begins with 12 more bytes.
  const data = Buffer.from(`${' '.repeat(12 * (flags & 1))}${content}`)
  const local = Buffer.alloc(30)
  local.write('PK\x03\x04', 'latin1')
  const central = Buffer.alloc(46)
  central.write('PK\x01\x02', 'latin1')
  central.writeUInt16LE(0x031e, 4) // Made on Unix: attributes hold the mode.
  for (const [header, at] of [
    [local, 6],
    [central, 8],
  ] as const) {
    header.writeUInt16LE(flags, at)
    header.writeUInt32LE(data.length, at + 12)
    header.writeUInt32LE(content.length, at + 16)
    header.writeUInt16LE(file.length, at + 20)
  }
  central.writeUInt32LE(mode * 2 ** 16, 38)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(46 + file.length, 12)
  end.writeUInt32LE(30 + file.length + data.length, 16)
  return Buffer.concat([local, file, data, central, file, end])
}

const [regular, symbolicLink] = [0o100644, 0o120777]

test.each<[string, Buffer, string]>([
  ['a path above its folder', zipOf('../b.txt', 'b', regular), 'invalid relative path: ../b.txt'],
  ['an absolute path', zipOf('/tmp/b.txt', 'b', regular), 'absolute path: /tmp/b.txt'],
  ['a drive', zipOf('C:\\b.txt', 'b', regular), 'absolute path: C:/b.txt'],
  ['a link', zipOf('link', '/etc', symbolicLink), 'it holds link, which must be a file or folder'],
  ['an encrypted file', zipOf('a.txt', 'secret', regular, 1), 'is encrypted'],
])('a zip with %s is rejected, and no files are left', async (_, zip, message) => {
  const [archive, parent] = [join(temporaryFolder(), 'a.zip'), temporaryFolder()]
  await writeFile(archive, zip)
  await expect(unpack(archive, join(parent, 'unpacked'))).rejects.toThrow(message)
  expect(readdirSync(parent)).toEqual([])
})

test('a zip with an ordinary file is unpacked', async () => {
  const [archive, target] = [join(temporaryFolder(), 'a.zip'), join(temporaryFolder(), 'unpacked')]
  await writeFile(archive, zipOf('cat/a.txt', 'meow', regular))
  await unpack(archive, target)
  expect(await readFile(join(target, 'cat/a.txt'), 'utf8')).toBe('meow')
})

test.each(Object.entries(hostile))(
  'an archive is rejected with the message: %s',
  async (message, create) => {
    const archive = await create(await folderOf({ 'in/a.txt': 'a', 'b.txt': 'b' }))
    const parent = temporaryFolder()
    await expect(unpack(archive, join(parent, 'unpacked'))).rejects.toThrow(message)
    expect(readdirSync(parent)).toEqual([])
  },
)

const compressed = (name: string): Buffer =>
  readFileSync(new URL(`../fixtures/${name}`, import.meta.url))

test('a truncated archive and a file that is no archive are rejected, and no files are left', async () => {
  const whole = await readFile(await pack(await folderOf({ 'a.jpg': undefined }), ['a.jpg']))
  const parent = temporaryFolder()
  const broken = [
    [whole.subarray(0, whole.length / 2), 'broken.tgz cannot be unpacked'],
    [compressed('pets.tar.bz2').subarray(0, 500), 'it is damaged or incomplete'],
    [compressed('pets.tar.xz').subarray(0, 400), 'it is damaged or incomplete'],
    [compressed('pets.zip').subarray(0, 900), 'broken.tgz cannot be unpacked'],
    [Buffer.from('Rar!\x1a\x07\x01'), 'but is a RAR archive; unpack it, or pack it as zip'],
    [Buffer.from('not an archive'), 'broken.tgz must be a folder, a CSV, a zip, or a tar'],
  ] as const
  for (const [bytes, message] of broken) {
    const archive = join(temporaryFolder(), 'broken.tgz')
    await writeFile(archive, bytes)
    await expect(unpack(archive, join(parent, 'unpacked'))).rejects.toThrow(message)
  }
  expect(readdirSync(parent)).toEqual([])
})
