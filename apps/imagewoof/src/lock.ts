import { randomUUID } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { constants, copyFile, link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { temporaryPath } from '@diffgrad/onnxruntime/node'
import * as z from 'zod'
import { Failure } from './failure.ts'

/** The content of a lock file: the process that holds it. */
export interface LockOwner {
  /** Tells locks apart, also those of one process. */
  readonly id: string
  readonly pid: number
  readonly host: string
  /** When the lock was taken, in ISO 8601. */
  readonly since: string
  /** Tells the process from a later one with the same identifier; null where the system does not say. */
  readonly processStart: string | null
  /** The arguments of the command, without passwords of addresses. */
  readonly command: string
  /**
   * What a queue lends to one process at a time, if it gave the work to this process. A holder on another
   * machine that has lost it was ended by its worker, or has died with it.
   */
  readonly lease?: string | undefined
}

/** The environment variable that names the lease of this process. */
export const leaseVariable = 'IMAGEWOOF_LEASE'

const ownerSchema: z.ZodType<LockOwner> = z.object({
  id: z.string(),
  pid: z.int().positive(),
  host: z.string(),
  since: z.string(),
  processStart: z.string().nullable(),
  command: z.string(),
  lease: z.string().optional(),
})

/** Lock files that this process holds, and their ids. They are removed when it exits. */
const held = new Map<string, string>()

/**
 * Takes a lock file for this process, until it exits or calls `releaseLock`. A lock of a process that has
 * ended is taken over. Nothing happens if this process holds it already.
 *
 * @param what - is locked, as error messages call it.
 * @throws {Failure} If another process holds it: who, and since when.
 */
export async function takeLock(path: string, what: string): Promise<void> {
  if (held.has(path)) return
  const temporary = temporaryPath(path)
  const own = describeThisProcess()
  await writeFile(temporary, JSON.stringify(own))
  try {
    while (!(await linkExclusively(temporary, path))) {
      const owner = await readOwner(path)
      if (owner && isAlive(owner)) throw heldByOther(owner, path, what)
      await removeStaleLock(path, owner)
    }
  } finally {
    await rm(temporary, { force: true })
  }
  if (!process.listeners('exit').includes(releaseAll)) process.once('exit', releaseAll)
  held.set(path, own.id)
}

/** Releases a lock that this process holds, unless another process has taken it over. */
export async function releaseLock(path: string): Promise<void> {
  const id = held.get(path)
  held.delete(path)
  if ((await readOwner(path))?.id === id) await rm(path, { force: true })
}

/**
 * Checks that a lock that this process took is still its own: a machine that was suspended wakes up after
 * its lease has ended.
 *
 * @throws {Failure} If another process has taken it over.
 */
export async function requireLock(path: string, what: string): Promise<void> {
  const id = held.get(path)
  const owner = id === undefined ? undefined : await readOwner(path)
  if (owner && owner.id !== id)
    throw new Failure(`${what} was taken over by ${describeOwner(owner)}`)
}

/** Does work while a lock is held. See `takeLock`. */
export async function withLock<T>(path: string, what: string, work: () => Promise<T>): Promise<T> {
  if (held.has(path)) return work()
  await takeLock(path, what)
  try {
    return await work()
  } finally {
    await releaseLock(path)
  }
}

/** The other process that holds a lock; undefined if none does, or if it has ended. */
export async function lockOwner(path: string): Promise<LockOwner | undefined> {
  const owner = held.has(path) ? undefined : await readOwner(path)
  return owner && isAlive(owner) ? owner : undefined
}

/** Removes a lock whose owner has ended. */
export async function removeIfStale(path: string): Promise<void> {
  const owner = await readOwner(path)
  if (!held.has(path) && !(owner && isAlive(owner))) await removeStaleLock(path, owner)
}

/** A process and when it took a lock, as text. */
export const describeOwner = ({ pid, host, since, command }: LockOwner): string =>
  `process ${pid} on ${host} (${command}), since ${new Date(since).toLocaleString('sv')}`

function heldByOther(owner: LockOwner, path: string, what: string): Failure {
  const advice = owner.host === hostname() ? '' : `; if that process has ended, delete ${path}`
  return new Failure(`${what} is in use by ${describeOwner(owner)}${advice}`)
}

const describeThisProcess = (): LockOwner => ({
  id: randomUUID(),
  pid: process.pid,
  host: hostname(),
  since: new Date().toISOString(),
  processStart: processStatus(process.pid)?.start ?? null,
  command:
    process.argv
      .slice(2)
      .join(' ')
      .replace(/(?<=\/\/)[^/\s]*@/g, '') || 'without arguments',
  lease: process.env[leaseVariable],
})

/** Gives a complete file a second name unless that exists. Returns whether it did. */
async function linkExclusively(from: string, to: string): Promise<boolean> {
  const wasFree = (error: NodeJS.ErrnoException): false => {
    if (error.code === 'EEXIST') return false
    throw error
  }
  try {
    await link(from, to)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' || code === 'ENOENT' || code === 'ENOSPC') return wasFree(error as Error)
    // A file system without hard links, such as exFAT.
    return copyFile(from, to, constants.COPYFILE_EXCL).then(() => true, wasFree)
  }
}

const parseOwner = (text: string): LockOwner => ownerSchema.parse(JSON.parse(text))

/** The content of a lock file; undefined if the file is missing or damaged. */
async function readOwner(path: string): Promise<LockOwner | undefined> {
  try {
    return parseOwner(await readFile(path, 'utf8'))
  } catch {
    return undefined
  }
}

/** Removes a stale lock. Renames it first: of processes that do so at the same time, one succeeds. */
async function removeStaleLock(path: string, stale: LockOwner | undefined): Promise<void> {
  const aside = temporaryPath(path)
  try {
    await rename(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const moved = await readOwner(aside)
  // Another process has taken the lock over since it was read.
  if (moved && moved.id !== stale?.id) await linkExclusively(aside, path)
  await rm(aside, { force: true })
}

/**
 * Whether the owner of a lock still runs. Processes of other hosts are taken to run, unless this process
 * holds the lease that they held.
 */
function isAlive({ pid, host, processStart: start, lease }: LockOwner): boolean {
  if (host !== hostname()) return lease === undefined || lease !== process.env[leaseVariable]
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM means that it runs as another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const status = processStatus(pid)
  if (status === undefined) return true
  return !status.hasEnded && (start === null || status.start === start)
}

interface ProcessStatus {
  /** True for a zombie, whose parent still has to ask for its exit code. */
  readonly hasEnded: boolean
  /** In clock ticks since the system started. */
  readonly start: string
}

/** What Linux says of a process; undefined on other systems. */
function processStatus(pid: number): ProcessStatus | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // proc(5). The second field, the name in parentheses, may contain spaces.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { hasEnded: fields[0] === 'Z' || fields[0] === 'X', start: fields[19] }
  } catch {
    return undefined
  }
}

function releaseAll(): void {
  for (const [path, id] of held)
    try {
      if (parseOwner(readFileSync(path, 'utf8')).id === id) rmSync(path)
    } catch {
      // The folder of the lock was deleted.
    }
  held.clear()
}
