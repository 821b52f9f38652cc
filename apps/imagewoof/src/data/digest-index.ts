import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { appendFile, mkdir, readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { replaceFile } from '@diffgrad/onnxruntime/node'

/** What tells whether a file has changed: size, modification and change time in ns, and inode. */
type Fingerprint = string

interface Entry {
  readonly fingerprint: Fingerprint
  /** SHA-256, in hexadecimal. */
  readonly digest: string
}

interface DigestIndexOptions {
  /** The time in milliseconds since 1970; by default of the system. */
  readonly now?: () => number
}

/**
 * Resolution of file times, at worst, in milliseconds: FAT counts in two seconds. A file that changed so
 * shortly before it was read may change again without a new time, as git's documentation of "racily
 * clean" entries describes; such a digest is not kept.
 */
const timeResolution = 2000

/** Entries that are appended at once: a killed process loses at most so many digests. */
const appendedEntries = 64

/**
 * The SHA-256 of the files in a folder. They are kept in the cache, so that a file is read again only if
 * its size, its modification time, its change time or its inode differ: the change time is set by the
 * system whenever a file is written, renamed or given another modification time.
 *
 * The index is a file of JSON lines: the folder, and then for each file its path, fingerprint and digest.
 * A later line replaces an earlier one, and an incomplete line is ignored.
 */
export class DigestIndex {
  readonly #path: string
  readonly #root: string
  readonly #now: () => number
  readonly #entries: Map<string, Entry>
  #pending: string[] = []
  #lines: number

  /** Opens the index of a folder, which must exist. */
  static async open(
    cache: string,
    root: string,
    { now = Date.now }: DigestIndexOptions = {},
  ): Promise<DigestIndex> {
    const folder = await realpath(root)
    const name = createHash('sha256').update(folder).digest('hex').slice(0, 16)
    const path = join(cache, 'digests', `${name}.jsonl`)
    const text = await readFile(path, 'utf8').catch(() => '')
    const lines = text.split('\n').filter((line) => line !== '')
    return new DigestIndex(path, folder, now, lines)
  }

  private constructor(path: string, root: string, now: () => number, lines: readonly string[]) {
    this.#path = path
    this.#root = root
    this.#now = now
    this.#entries = new Map(lines.flatMap(parseLine))
    this.#lines = lines.length
  }

  /**
   * The SHA-256 of a file, in hexadecimal.
   *
   * @param path - relative to the folder.
   * @throws Error of the file system.
   * @throws the signal's reason if it aborts.
   */
  async digest(path: string, signal?: AbortSignal): Promise<string> {
    signal?.throwIfAborted()
    const file = join(this.#root, path)
    const before = await fingerprintOf(file)
    const entry = this.#entries.get(path)
    if (entry?.fingerprint === before.fingerprint) return entry.digest
    const started = this.#now()
    const digest = await hashFile(file, before.size, signal)
    const after = await fingerprintOf(file)
    // A time in the future, from a wrong clock, is not the time of this change.
    const isSettled = before.times.every((time) => Math.abs(started - time) > timeResolution)
    if (isSettled && after.fingerprint === before.fingerprint) {
      this.#entries.set(path, { fingerprint: before.fingerprint, digest })
      this.#pending.push(JSON.stringify([path, before.fingerprint, digest]))
      if (this.#pending.length >= appendedEntries) await this.#append()
    }
    return digest
  }

  /** Writes what is not written yet. Rewrites the index if most of its lines are replaced by later ones. */
  async close(): Promise<void> {
    await this.#append()
    if (this.#lines <= 2 * this.#entries.size + appendedEntries) return
    const lines = Array.from(this.#entries, ([path, { fingerprint, digest }]) =>
      JSON.stringify([path, fingerprint, digest]),
    )
    const text = [this.#header, ...lines, ''].join('\n')
    await replaceFile(this.#path, Buffer.from(text))
  }

  get #header(): string {
    return JSON.stringify({ folder: this.#root })
  }

  /**
   * Begins with a line break, in case that a killed process left an incomplete line. What cannot be written
   * is read again the next time.
   */
  async #append(): Promise<void> {
    if (this.#pending.length === 0) return
    const lines = [...(this.#lines === 0 ? [this.#header] : []), ...this.#pending]
    this.#pending = []
    this.#lines += lines.length
    try {
      await mkdir(dirname(this.#path), { recursive: true })
      await appendFile(this.#path, `\n${lines.join('\n')}\n`)
    } catch {}
  }
}

function parseLine(line: string): readonly (readonly [string, Entry])[] {
  try {
    const value: unknown = JSON.parse(line)
    if (!Array.isArray(value) || value.length !== 3) return []
    const [path, fingerprint, digest] = value
    return /^[\da-f]{64}$/.test(digest) ? [[String(path), { fingerprint, digest }]] : []
  } catch {
    return []
  }
}

async function fingerprintOf(path: string): Promise<{
  readonly fingerprint: Fingerprint
  /** Modification and change time, in milliseconds since 1970. */
  readonly times: readonly number[]
  readonly size: bigint
}> {
  const { size, mtimeNs, ctimeNs, mtimeMs, ctimeMs, ino } = await stat(path, { bigint: true })
  const fingerprint = [size, mtimeNs, ctimeNs, ino].join(' ')
  return { fingerprint, times: [Number(mtimeMs), Number(ctimeMs)], size }
}

/** Smaller files are hashed faster at once, larger ones would take memory. */
const streamedSize = 2 ** 24

const hashFile = async (path: string, size: bigint, signal?: AbortSignal): Promise<string> =>
  size < streamedSize
    ? createHash('sha256')
        .update(await readFile(path))
        .digest('hex')
    : fileDigest(path, 'sha256', signal)

/**
 * The checksum of a file, in hexadecimal.
 *
 * @throws the signal's reason if it aborts.
 */
export async function fileDigest(
  path: string,
  algorithm: 'md5' | 'sha256',
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash(algorithm)
  for await (const bytes of createReadStream(path)) {
    signal?.throwIfAborted()
    hash.update(bytes)
  }
  return hash.digest('hex')
}
