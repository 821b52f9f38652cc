import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { testSeed } from '@diffgrad/testing/seed'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { create } from 'tar'
import { expect, test } from 'vitest'
import { fileFolder, historyOf, run, tensorsOf, tinyNetwork } from './command.ts'
import { writePatterns } from './images.ts'
import { serve } from './server.ts'

/** Kills in each phase: `pnpm --filter imagewoof kills 50`. */
const kills = Number(process.env.KILLS ?? 1)

/** After so many kills the work is completed, and compared with undisturbed work. */
const killsInARow = 5

const folder = fileFolder()
const [cache, out] = ['cache', 'run'].map((name) => join(folder, name))
const killAt = (options: object): Readonly<Record<string, string>> => ({
  NODE_OPTIONS: `--import=${new URL('fixtures/kill-at-operation.mjs', import.meta.url)}`,
  KILL_AT_OPERATION: JSON.stringify(options),
})

interface Phase {
  /** Of the paths of the files that the phase writes. */
  readonly pattern: string
  /** The next command. */
  readonly command: () => readonly string[]
  /** Removes the results of the phase. */
  readonly reset: () => void
  /** What undisturbed work gives. */
  readonly result: () => unknown
}

/** The files in a folder by their paths in it: only the names that do not depend on the time. */
const filesIn = (path: string): readonly string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(path.length + 1))
    .map((name) => name.replace(/^events\.out\.tfevents\.\d+\./, 'events.'))
    // Checksums are kept only of files that have not changed lately.
    .filter((name) => !/^digests\/[\da-f]+\.jsonl$/.test(name))
    .toSorted()

const sha256 = (path: string): string =>
  createHash('sha256').update(readFileSync(path)).digest('hex')

const remove = (...paths: readonly string[]): void => {
  for (const path of paths) rmSync(path, { recursive: true, force: true })
}

/** Serves a file in small pieces, and continues where a client asks. */
const serveInPieces = (bytes: Buffer): Promise<string> =>
  serve(async ({ headers }, response) => {
    const begin = Number(headers.range?.match(/bytes=(\d+)-/)?.[1] ?? 0)
    const isRest = begin > 0 && begin < bytes.length
    const rest = bytes.subarray(isRest ? begin : 0)
    response.writeHead(isRest ? 206 : 200, {
      etag: '"1"',
      'content-length': rest.length,
      ...(isRest && { 'content-range': `bytes ${begin}-${bytes.length - 1}/${bytes.length}` }),
    })
    for (let i = 0; i < rest.length; i += 8192) {
      response.write(rest.subarray(i, i + 8192))
      await new Promise(setImmediate)
    }
    response.end()
  })

let images: string | undefined

/** The address of an archive of more images than a chunk of decoded ones has. */
async function serveArchive(): Promise<string> {
  images ??= await writePatterns(join(folder, 'images'))
  const file = join(folder, 'images.tgz')
  await create({ file, cwd: images, gzip: true, mtime: new Date(0) }, ['train', 'val'])
  return `${await serveInPieces(readFileSync(file))}images.tgz`
}

/** Preparing data from a URL. */
const prepared = (pattern: string, address: string): Phase => ({
  pattern,
  command: () => ['prepare', address, '--size', '20'],
  reset: () => remove(cache),
  result: () => {
    const files = filesIn(cache)
    const chunks = files.filter((name) => name.endsWith('.chunk'))
    return { files, chunks: chunks.map((name) => sha256(join(cache, name))) }
  },
})

const train = ['train', '--out', out, ...tinyNetwork, '--epochs', '2', '--save-every', '0']

const trained = (pattern: string): Phase => ({
  pattern,
  command: () => (existsSync(out) ? ['resume', out] : [...train, '--data', join(folder, 'images')]),
  reset: () => remove(out),
  result: () => {
    const { losses, friction } = historyOf(out)
    return { files: filesIn(out), tensors: tensorsOf(out), losses, friction }
  },
})

const exported: Phase = {
  pattern: join(out, 'export'),
  command: () => ['export', out],
  reset: () => remove(join(out, 'export')),
  result: () => {
    const files = filesIn(out).filter((name) => name.startsWith('export/'))
    return { all: filesIn(out), contents: files.map((name) => sha256(join(out, name))) }
  },
}

/** Kills the commands of a phase at random operations, and compares their results with undisturbed ones. */
async function withstandKills({ pattern, command, reset, result }: Phase): Promise<void> {
  const random = xoroshiro128plus(testSeed(1))
  const complete = async (environment?: ReturnType<typeof killAt>): Promise<void> => {
    const args = command()
    const { code, errors } = await run(args, cache, environment)
    expect([args, code, errors]).toEqual([args, 0, ''])
  }
  reset()
  const counted = join(folder, 'count')
  await complete(killAt({ pattern, count: counted }))
  const operations = Number(readFileSync(counted, 'utf8'))
  expect(operations).toBeGreaterThan(5)
  const undisturbed = result()
  reset()
  for (let killed = 0, inARow = 0; killed < kills; ) {
    const n = uniformInt(random, 1, operations)
    const during = uniformInt(random, 0, 1) === 1
    const args = command()
    const { code, errors } = await run(args, cache, killAt({ pattern, n, during }))
    expect([args, n, during, errors]).toEqual([args, n, during, ''])
    if (code === null) [killed, inARow] = [killed + 1, inARow + 1]
    if (code !== null || inARow === killsInARow || killed === kills) {
      if (code === null) await complete()
      expect(result()).toEqual(undisturbed)
      inARow = 0
      reset()
    }
  }
  expect(readdirSync(folder).filter((name) => name.includes(hostname()))).toEqual([])
}

const timeout = 60_000 + kills * 20_000

test('kills while fetching', { timeout }, async () => {
  await withstandKills(prepared('/archives/', await serveArchive()))
})

test('kills while unpacking', { timeout }, async () => {
  await withstandKills(prepared('/unpacked/', await serveArchive()))
})

test('kills while decoding', { timeout }, async () => {
  await withstandKills(prepared('/(decoded|digests)/|uses', await serveArchive()))
})

test('kills while training', { timeout }, async () => {
  images ??= await writePatterns(join(folder, 'images'))
  await withstandKills(trained(`^${out}(?!.*safetensors)`))
})

test('kills while saving', { timeout }, async () => {
  images ??= await writePatterns(join(folder, 'images'))
  await withstandKills(trained('safetensors'))
})

test('kills while exporting', { timeout }, async () => {
  images ??= await writePatterns(join(folder, 'images'))
  await run([...train, '--data', images], cache)
  await withstandKills(exported)
})
