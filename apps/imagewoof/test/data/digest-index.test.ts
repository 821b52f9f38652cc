import { createHash } from 'node:crypto'
import { appendFileSync, readdirSync, readFileSync, statSync } from 'node:fs'
import files, { rename, utimes, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { DigestIndex } from '../../src/data/digest-index.ts'
import { folderOf, temporaryFolder } from '../images.ts'

const readFile = vi.spyOn(files, 'readFile')
beforeAll(syncBuiltinESMExports)
afterAll(() => {
  readFile.mockRestore()
  syncBuiltinESMExports()
})

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Digests of files, and which of them were read for it, at some milliseconds after the last change. */
async function digests(cache: string, root: string, names: readonly string[], later = 10_000) {
  const now = (): number =>
    later + Math.max(...names.map((file) => statSync(join(root, file)).ctimeMs))
  const index = await DigestIndex.open(cache, root, { now })
  readFile.mockClear()
  const found: string[] = []
  for (const file of names) found.push(await index.digest(file))
  const read = readFile.mock.calls.map(([path]) => String(path).slice(root.length + 1))
  await index.close()
  return { found, read }
}

const indexFile = (cache: string): string => {
  const [name] = readdirSync(join(cache, 'digests'))
  return join(cache, 'digests', name)
}

test('a file is read once, and again only after it has changed', async () => {
  const [root, cache] = [await folderOf({ a: 'one', b: 'two', c: 'six' }), temporaryFolder()]
  const names = ['a', 'b', 'c']
  expect(await digests(cache, root, names)).toEqual({
    found: names.map((f) => sha256({ a: 'one', b: 'two', c: 'six' }[f] ?? '')),
    read: names,
  })
  expect((await digests(cache, root, names)).read).toEqual([])
  await writeFile(join(root, 'b'), 'three')
  const changed = await digests(cache, root, names)
  expect(changed.found[1]).toBe(sha256('three'))
  expect(changed.read).toEqual(['b'])
})

test('a change that keeps size and modification time is noticed', async () => {
  const [root, cache] = [await folderOf({ a: 'one', b: 'two' }), temporaryFolder()]
  await digests(cache, root, ['a', 'b'])
  // Written in place,
  const { atime, mtime } = statSync(join(root, 'a'))
  await writeFile(join(root, 'a'), 'ONE')
  await utimes(join(root, 'a'), atime, mtime)
  // and replaced by another file.
  await writeFile(join(root, 'new'), 'TWO')
  const { atime: accessed, mtime: modified } = statSync(join(root, 'b'))
  await utimes(join(root, 'new'), accessed, modified)
  await rename(join(root, 'new'), join(root, 'b'))
  expect((await digests(cache, root, ['a', 'b'])).found).toEqual([sha256('ONE'), sha256('TWO')])
})

test('a digest of a file that has just changed is not kept: it may change again at the same time', async () => {
  const [root, cache] = [await folderOf({ a: 'one' }), temporaryFolder()]
  expect((await digests(cache, root, ['a'], 0)).read).toEqual(['a'])
  expect((await digests(cache, root, ['a'], 0)).read).toEqual(['a'])
  expect((await digests(cache, root, ['a'])).read).toEqual(['a'])
  expect((await digests(cache, root, ['a'], 0)).read).toEqual([])
})

test('what a killed process wrote is used, except an incomplete line', async () => {
  const [root, cache] = [await folderOf({ a: 'one', b: 'two' }), temporaryFolder()]
  await digests(cache, root, ['a'])
  const line = readFileSync(indexFile(cache), 'utf8').trim().split('\n').at(-1) ?? ''
  appendFileSync(indexFile(cache), line.replace('"a"', '"b"').slice(0, -9))
  expect(await digests(cache, root, ['a', 'b'])).toEqual({
    found: [sha256('one'), sha256('two')],
    read: ['b'],
  })
  expect((await digests(cache, root, ['a', 'b'])).read).toEqual([])
})

test('the index does not grow with the changes of a file', async () => {
  const [root, cache] = [await folderOf({ a: '0' }), temporaryFolder()]
  for (let i = 1; i <= 200; i++) {
    await writeFile(join(root, 'a'), `${i}`)
    await digests(cache, root, ['a'])
  }
  expect(readFileSync(indexFile(cache), 'utf8').trim().split('\n').length).toBeLessThan(70)
  expect((await digests(cache, root, ['a'])).read).toEqual([])
})
