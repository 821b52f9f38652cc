import { stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { Failure } from '../../failure.ts'
import { makeFolder } from '../make-folder.ts'
import type { Attendance } from '../progress.ts'
import { archives } from './archives.ts'
import { digestOf } from './digest.ts'
import { download } from './download.ts'
import { unpack } from './unpack.ts'

/** Where pictures lie. */
export interface Located {
  /** What the data set is called in reports. */
  readonly name: string
  readonly folder: string
}

/** Where to fetch and to keep things. */
export interface Places {
  /** What is downloaded, unpacked and decoded is kept here. */
  readonly cache: string
  /** Where the published archives are. */
  readonly address: string
}

/**
 * Finds the pictures of a source: a folder, an archive, or the name of a published archive. Archives
 * are fetched and unpacked when they are met first.
 *
 * @throws {Failure} If there is no such source, or it is not what it must be.
 */
export async function locate(
  source: string,
  { cache, address }: Places,
  attendance: Attendance = {},
): Promise<Located> {
  const published = archives.get(source)
  if (published) {
    const path = join(cache, 'archives', `${source}.tgz`)
    if (!(await kindOf(path))) {
      await makeFolder(join(cache, 'archives'))
      const url = new URL(`${source}.tgz`, address.replace(/\/*$/, '/')).href
      await download(url, path, { ...published, ...attendance })
    }
    return { name: source, folder: await unpacked(path, source, cache, attendance) }
  }
  const kind = await kindOf(source)
  if (kind === 'folder') return { name: basename(resolve(source)), folder: source }
  if (!kind) {
    const names = ['shapes', ...archives.keys()].join(', ')
    throw new Failure(`there is no folder or archive ${source}; data sets with a name are ${names}`)
  }
  const name = basename(source).match(/^(.+)\.(?:tgz|tar\.gz|tar)$/i)?.[1]
  if (!name) throw new Failure(`${source} must be a folder, or an archive in .tgz or .tar`)
  return { name, folder: await unpacked(source, name, cache, attendance) }
}

/** The folder of an archive, by its bytes: another archive of the same name is another folder. */
async function unpacked(
  archive: string,
  name: string,
  cache: string,
  attendance: Attendance,
): Promise<string> {
  const digest = await digestOf(archive, 'sha256', attendance.signal)
  const folder = join(cache, 'unpacked', `${name}-${digest.slice(0, 16)}`)
  if (!(await kindOf(folder))) {
    await makeFolder(join(cache, 'unpacked'))
    await unpack(archive, folder, attendance)
  }
  return folder
}

async function kindOf(path: string): Promise<'folder' | 'file' | undefined> {
  const found = await stat(path).catch(() => undefined)
  if (!found) return undefined
  return found.isDirectory() ? 'folder' : 'file'
}
