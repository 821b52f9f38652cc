import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { download } from '../../src/data/sources/download.ts'
import { locate } from '../../src/data/sources/locate.ts'
import { temporaryFolder } from '../images.ts'
import { serve, serveFile } from '../server.ts'

const file = Uint8Array.from({ length: 200_000 }, (_, i) => Math.imul(i, i) >> 3)
const expected = { size: file.length, md5: createHash('md5').update(file).digest('hex') }

/** Disconnects the server as soon as the client has written so many bytes. */
const disconnectAt =
  (bytes: number, server: { disconnect(): void }) =>
  ({ done }: { readonly done: number }): void => {
    if (done === bytes) server.disconnect()
  }

test('an incomplete download is resumed where it broke off', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'a.tgz')
  const server = await serveFile(file, { stallAfter: 70_000 })
  const url = `${server.address}a.tgz`
  await expect(
    download(url, path, { ...expected, onProgress: disconnectAt(70_000, server) }),
  ).rejects.toThrow('broke off after 70000 of 200000 bytes')
  expect(readdirSync(folder)).toEqual(['a.tgz.part'])
  const reported: number[] = []
  await download(url, path, { ...expected, onProgress: ({ done }) => reported.push(done) })
  expect(server.ranges).toEqual([undefined, 'bytes=70000-'])
  expect(readdirSync(folder)).toEqual(['a.tgz'])
  expect(readFileSync(path).equals(file)).toBe(true)
  expect(reported[0]).toBeGreaterThan(70_000)
  expect(reported.at(-1)).toBe(200_000)
})

test('a server without support for ranges sends the whole file again', async () => {
  const path = join(temporaryFolder(), 'a.tgz')
  const server = await serveFile(file, { stallAfter: 70_000, supportsRanges: false })
  const onProgress = disconnectAt(70_000, server)
  await expect(download(server.address, path, { ...expected, onProgress })).rejects.toThrow(
    'broke off',
  )
  await download(server.address, path, expected)
  expect(readFileSync(path).equals(file)).toBe(true)
})

test('a complete partial file is only renamed', async () => {
  const path = join(temporaryFolder(), 'a.tgz')
  writeFileSync(`${path}.part`, file)
  await download('http://127.0.0.1:1/', path, expected)
  expect(readFileSync(path).equals(file)).toBe(true)
})

test('a partial file longer than the file is discarded', async () => {
  const path = join(temporaryFolder(), 'a.tgz')
  writeFileSync(`${path}.part`, new Uint8Array(file.length + 1))
  const { address } = await serveFile(file)
  await download(address, path, expected)
  expect(readFileSync(path).equals(file)).toBe(true)
})

test('a file with another checksum is rejected and deleted', async () => {
  const folder = temporaryFolder()
  const { address } = await serveFile(file.map((byte) => byte ^ 1))
  await expect(download(address, join(folder, 'a.tgz'), expected)).rejects.toThrow(
    `must have the MD5 sum ${expected.md5}, but has `,
  )
  expect(readdirSync(folder)).toEqual([])
})

test.each([
  ['imagewoof2-160', 'imagewoof2-160.tgz', 92_612_825],
  ['imagenette', 'imagenette2-160.tgz', 99_003_388],
  ['cifar10', 'cifar-10-binary.tar.gz', 170_052_171],
])(
  'a file for %s of another size is rejected before it is downloaded',
  async (name, archive, size) => {
    const cache = temporaryFolder()
    const { address } = await serveFile(file)
    await expect(locate(name, { cache, address })).rejects.toThrow(
      `${address}${archive} must have ${size} bytes, but has 200000`,
    )
    expect(readdirSync(join(cache, 'archives'))).toEqual([])
  },
)

test('a response that ends early is an error', async () => {
  const path = join(temporaryFolder(), 'a.tgz')
  const address = await serve((_, response) => response.end(file.subarray(0, 1000)))
  // A chunked response has no Content-Length, so its end looks regular.
  const chunked = await serve((_, response) => {
    response.write(file.subarray(0, 1000))
    response.end()
  })
  await expect(download(address, path, expected)).rejects.toThrow('must have 200000 bytes')
  await expect(download(chunked, path, expected)).rejects.toThrow('broke off after 1000 of 200000')
})

test('a server that cannot be reached, or lacks the file, is named', async () => {
  const path = join(temporaryFolder(), 'a.tgz')
  const missing = await serve((_, response) => response.writeHead(404).end())
  await expect(download(missing, path, expected)).rejects.toThrow(
    'the server responded 404 Not Found',
  )
  await expect(download('http://127.0.0.1:1/', path, expected)).rejects.toThrow('cannot be reached')
})

test('an interrupted download keeps the partial file', async () => {
  const folder = temporaryFolder()
  const { address } = await serveFile(file, { stallAfter: 70_000 })
  const interruption = new AbortController()
  const downloaded = download(address, join(folder, 'a.tgz'), {
    ...expected,
    signal: interruption.signal,
    onProgress: () => interruption.abort(new Error('interrupted')),
  })
  await expect(downloaded).rejects.toThrow('interrupted')
  expect(readdirSync(folder)).toEqual(['a.tgz.part'])
})

/** Serves a file with an ETag, and breaks off the first response. */
async function serveVersions(versions: readonly string[], stallAfter: number) {
  const requests: (readonly (string | undefined)[])[] = []
  const bytesOf = (version: string): Uint8Array => file.map((byte) => byte ^ version.length)
  let disconnect = (): void => {}
  const address = await serve(({ headers }, response) => {
    const version = versions[Math.min(requests.length, versions.length - 1)]
    requests.push([headers.range, headers['if-range']?.toString()])
    const isSame = headers['if-range'] === `"${version}"`
    const begin = isSame ? Number(headers.range?.match(/\d+/)?.[0] ?? 0) : 0
    response.writeHead(begin > 0 ? 206 : 200, {
      etag: `"${version}"`,
      'content-length': file.length - begin,
      ...(begin > 0 && { 'content-range': `bytes ${begin}-${file.length - 1}/${file.length}` }),
    })
    if (requests.length > 1) return response.end(bytesOf(version).subarray(begin))
    disconnect = () => response.destroy()
    return response.write(bytesOf(version).subarray(0, stallAfter))
  })
  return { address, requests, bytesOf, disconnect: () => disconnect() }
}

test.each([
  [['a'], 'resumed if it is unchanged'],
  [['a', 'bb'], 'downloaded from its beginning if it has changed'],
])('a file without a known checksum, in versions %j, is %s', async (versions) => {
  const path = join(temporaryFolder(), 'a.zip')
  const server = await serveVersions(versions, 70_000)
  const onProgress = disconnectAt(70_000, server)
  await expect(download(server.address, path, { onProgress })).rejects.toThrow('broke off')
  await download(server.address, path, {})
  expect(server.requests).toEqual([
    [undefined, undefined],
    ['bytes=70000-', '"a"'],
  ])
  expect(readFileSync(path).equals(server.bytesOf(versions[versions.length - 1]))).toBe(true)
  expect(readdirSync(join(path, '..'))).toEqual(['a.zip'])
})
