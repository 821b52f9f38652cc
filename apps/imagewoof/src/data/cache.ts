import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, relative, sep } from 'node:path'
import { removeLeftovers, replaceFile } from '@diffgrad/onnxruntime/node'
import { Failure } from '../failure.ts'
import {
  describeOwner,
  lockOwner,
  releaseLock,
  removeIfStale,
  takeLock,
  withLock,
} from '../lock.ts'

/** The default folder for downloaded, unpacked and decoded data. */
export const cacheFolder = (): string =>
  process.env.IMAGEWOOF_CACHE ?? join(homedir(), '.cache', 'imagewoof')

/**
 * Creates a folder of the cache unless it exists.
 *
 * @throws {Failure} If it cannot be created.
 */
export async function createCacheFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new Failure(`the cache folder ${path} cannot be written: ${error.code}`)
  })
}

/** The folders of the cache: archives, their files, decoded images, checksums of files, and backbones. */
export const cacheKinds = ['archives', 'unpacked', 'decoded', 'digests', 'hub'] as const

export type CacheKind = (typeof cacheKinds)[number]

/** A lock file of a process that uses the cache begins so. */
const userPrefix = 'user-'

const userLocks = async (cache: string): Promise<readonly string[]> =>
  (await namesIn(cache))
    .filter((name) => name.startsWith(userPrefix))
    .map((name) => join(cache, name))

/** The lock of a process that empties the cache. */
const clearingLock = (cache: string): string => join(cache, 'clearing')

/** The times at which entries were last used, by kind and name. */
const usesFile = (cache: string): string => join(cache, 'uses.json')

/** Whether an error says that a folder may not be written. */
const isReadOnly = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  ['EACCES', 'EPERM', 'EROFS'].includes(String(error.code))

/**
 * Does work with the cache, which no process empties meanwhile. Before, it removes what killed processes
 * left.
 *
 * @throws {Failure} If a process is emptying the cache.
 */
export async function useCache<T>(cache: string, work: () => Promise<T>): Promise<T> {
  await createCacheFolder(cache)
  const mark = join(cache, `${userPrefix}${randomUUID()}`)
  await takeLock(mark, 'the cache').catch((error) => {
    if (!isReadOnly(error)) throw error // A cache that was prepared can still be read.
  })
  try {
    // After the mark, so that of two processes at least one sees the other.
    const clearing = await lockOwner(clearingLock(cache))
    if (clearing)
      throw new Failure(`the cache ${cache} is being emptied by ${describeOwner(clearing)}`)
    await removeCacheLeftovers(cache)
    return await work()
  } finally {
    await releaseLock(mark)
  }
}

/** Removes the locks and temporary files of killed processes. */
async function removeCacheLeftovers(cache: string): Promise<void> {
  for (const lock of [...(await userLocks(cache)), clearingLock(cache)]) await removeIfStale(lock)
  for (const folder of ['', ...cacheKinds]) await removeLeftovers(join(cache, folder))
  const decoded = join(cache, 'decoded')
  for (const name of await namesIn(decoded)) await removeLeftovers(join(decoded, name))
  const archives = join(cache, 'archives')
  for (const name of await namesIn(archives))
    if (name.endsWith('.lock')) await removeIfStale(join(archives, name))
  const files = await namesIn(archives)
  for (const name of files) {
    // Of a download that is complete or still to be started.
    const [, file, rest] = name.match(/^(.+)\.(part|version)$/) ?? []
    const isOver = rest && (files.includes(file) || !files.includes(`${file}.part`))
    if (isOver && !files.includes(`${file}.lock`)) await rm(join(archives, name), { force: true })
  }
  for (const model of await entryNames(cache, 'hub'))
    for (const folder of ['', 'onnx']) await removeLeftovers(join(cache, 'hub', model, folder))
}

const namesIn = (folder: string): Promise<readonly string[]> =>
  readdir(folder).then(
    (names) => names.toSorted(),
    () => [],
  )

/** The names of the entries of a kind: of the hub, `owner/model`. */
async function entryNames(cache: string, kind: CacheKind): Promise<readonly string[]> {
  const names = await namesIn(join(cache, kind))
  if (kind !== 'hub') return names
  const models = names.map(async (owner) =>
    (await namesIn(join(cache, kind, owner))).map((model) => `${owner}/${model}`),
  )
  return (await Promise.all(models)).flat()
}

/** Records that entries are used now, by a path in each. Paths outside the cache are not entries. */
export async function recordUse(cache: string, paths: readonly string[]): Promise<void> {
  const now = new Date().toISOString()
  const used = paths.flatMap((path) => {
    const [kind, name, model] = relative(cache, path).split(sep)
    if (!cacheKinds.some((known) => known === kind) || name === undefined) return []
    return [[kind === 'hub' ? `${kind}/${name}/${model}` : `${kind}/${name}`, now]]
  })
  if (used.length === 0) return
  const uses = { ...(await readUses(cache)), ...Object.fromEntries(used) }
  await replaceFile(usesFile(cache), Buffer.from(JSON.stringify(uses, undefined, 1))).catch(
    (error) => {
      if (!isReadOnly(error)) throw error
    },
  )
}

async function readUses(cache: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return { ...JSON.parse(await readFile(usesFile(cache), 'utf8')) }
  } catch {
    return {}
  }
}

/** A part of the cache that can be removed alone. */
export interface CacheEntry {
  readonly kind: CacheKind
  /** Of the file or folder. */
  readonly name: string
  /** What it holds, if its name does not say it: the name of a data set, or a folder. */
  readonly content: string | undefined
  /** In bytes. */
  readonly size: number
  readonly lastUsed: Date
}

/** Everything in the cache, also what is incomplete. */
export async function listCache(cache: string): Promise<readonly CacheEntry[]> {
  const uses = await readUses(cache)
  const entries: CacheEntry[] = []
  for (const kind of cacheKinds)
    for (const name of await entryNames(cache, kind)) {
      const path = join(cache, kind, name)
      const found = await stat(path).catch(() => undefined)
      if (!found) continue
      const used = new Date(String(uses[`${kind}/${name}`]))
      const lastUsed = Number.isNaN(used.getTime()) ? found.mtime : used
      const content = await contentOf(kind, path)
      entries.push({ kind, name, content, size: await sizeOf(path), lastUsed })
    }
  return entries
}

/** The name in the file that describes decoded images, or the folder in the first line of digests. */
async function contentOf(kind: CacheKind, path: string): Promise<string | undefined> {
  try {
    if (kind === 'decoded')
      return String(JSON.parse(await readFile(join(path, 'about.json'), 'utf8')).description)
    if (kind === 'digests')
      return String(JSON.parse((await readFile(path, 'utf8')).trimStart().split('\n')[0]).folder)
    return undefined
  } catch {
    return 'incomplete'
  }
}

/** The size of a file, or of all files in a folder, in bytes. */
async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined)
  if (!found?.isDirectory()) return found?.size ?? 0
  let size = 0
  for (const name of await namesIn(path)) size += await sizeOf(join(path, name))
  return size
}

/**
 * Removes entries of the cache.
 *
 * @param kinds - of entries to remove.
 * @returns the removed entries.
 * @throws {Failure} If a process uses the cache.
 */
export async function clearCache(
  cache: string,
  kinds: readonly CacheKind[],
): Promise<readonly CacheEntry[]> {
  if (!(await stat(cache).catch(() => undefined))) return []
  return withLock(clearingLock(cache), `the cache ${cache}`, async () => {
    for (const lock of await userLocks(cache)) {
      const user = await lockOwner(lock)
      if (user) throw new Failure(`the cache ${cache} is in use by ${describeOwner(user)}`)
    }
    await removeCacheLeftovers(cache)
    const entries = (await listCache(cache)).filter(({ kind }) => kinds.includes(kind))
    for (const kind of kinds) await rm(join(cache, kind), { recursive: true, force: true })
    if (kinds.length === cacheKinds.length) await rm(usesFile(cache), { force: true })
    return entries
  })
}
