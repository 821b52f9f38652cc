import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { download } from '../../src/data/sources/download.ts'
import { locate } from '../../src/data/sources/locate.ts'
import { emptyFolder } from './folder.ts'
import { serve, serveFile } from './serve.ts'

const file = Uint8Array.from({ length: 200_000 }, (_, i) => Math.imul(i, i) >> 3)
const known = { size: file.length, md5: createHash('md5').update(file).digest('hex') }

test('what a download that broke off has brought is not fetched again', async () => {
  const folder = emptyFolder()
  const path = join(folder, 'a.tgz')
  const { address, asked } = await serveFile(file, { breaksAfter: 70_000 })
  await expect(download(`${address}a.tgz`, path, known)).rejects.toThrow(
    'broke off after 70000 of 200000 bytes',
  )
  expect(readdirSync(folder)).toEqual(['a.tgz.part'])
  const heard: number[] = []
  await download(`${address}a.tgz`, path, { ...known, onProgress: ({ done }) => heard.push(done) })
  expect(asked).toEqual([undefined, 'bytes=70000-'])
  expect(readdirSync(folder)).toEqual(['a.tgz'])
  expect(readFileSync(path).equals(file)).toBe(true)
  expect(heard[0]).toBeGreaterThan(70_000)
  expect(heard.at(-1)).toBe(200_000)
})

test('a server without ranges sends all of it again', async () => {
  const path = join(emptyFolder(), 'a.tgz')
  const { address } = await serveFile(file, { breaksAfter: 70_000, ranges: false })
  await expect(download(address, path, known)).rejects.toThrow('broke off')
  await download(address, path, known)
  expect(readFileSync(path).equals(file)).toBe(true)
})

test('a download that had all but its name only gets its name', async () => {
  const path = join(emptyFolder(), 'a.tgz')
  writeFileSync(`${path}.part`, file)
  await download('http://127.0.0.1:1/', path, known)
  expect(readFileSync(path).equals(file)).toBe(true)
})

test('a remainder longer than the file is thrown away', async () => {
  const path = join(emptyFolder(), 'a.tgz')
  writeFileSync(`${path}.part`, new Uint8Array(file.length + 1))
  const { address } = await serveFile(file)
  await download(address, path, known)
  expect(readFileSync(path).equals(file)).toBe(true)
})

test('a file with another checksum is refused, and nothing is left of it', async () => {
  const folder = emptyFolder()
  const { address } = await serveFile(file.map((byte) => byte ^ 1))
  await expect(download(address, join(folder, 'a.tgz'), known)).rejects.toThrow(
    `must have the MD5 sum ${known.md5}, but has `,
  )
  expect(readdirSync(folder)).toEqual([])
})

test('a published archive of another size is refused before it is fetched', async () => {
  const cache = emptyFolder()
  const { address } = await serveFile(file)
  await expect(locate('imagewoof2-160', { cache, address })).rejects.toThrow(
    `${address}imagewoof2-160.tgz must have 92612825 bytes, but has 200000`,
  )
  expect(readdirSync(join(cache, 'archives'))).toEqual([])
})

test('a server that ends early without a word is found out', async () => {
  const path = join(emptyFolder(), 'a.tgz')
  const address = await serve((_, response) => response.end(file.subarray(0, 1000)))
  // Without a length of its own the answer seems whole.
  const chunked = await serve((_, response) => {
    response.write(file.subarray(0, 1000))
    response.end()
  })
  await expect(download(address, path, known)).rejects.toThrow('must have 200000 bytes')
  await expect(download(chunked, path, known)).rejects.toThrow('broke off after 1000 of 200000')
})

test('servers that are not there, or do not have it, are named', async () => {
  const path = join(emptyFolder(), 'a.tgz')
  const missing = await serve((_, response) => response.writeHead(404).end())
  await expect(download(missing, path, known)).rejects.toThrow('was answered by 404 Not Found')
  await expect(download('http://127.0.0.1:1/', path, known)).rejects.toThrow('cannot be reached')
})

test('an interrupted download keeps its part, under another name', async () => {
  const folder = emptyFolder()
  const { address } = await serveFile(file, { breaksAfter: 70_000 })
  const { signal, abort } = interruption()
  const fetched = download(address, join(folder, 'a.tgz'), { ...known, signal, onProgress: abort })
  await expect(fetched).rejects.toThrow('interrupted')
  expect(readdirSync(folder)).toEqual(['a.tgz.part'])
})

function interruption(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort(new Error('interrupted')) }
}
