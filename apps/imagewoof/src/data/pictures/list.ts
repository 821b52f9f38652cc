import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../../failure.ts'

/** A file that should be a picture. */
export interface Listed {
  /** Relative to the data set, with slashes: `train/beagle/1.jpg`. */
  readonly path: string
  /** An index into the classes. */
  readonly label: number
}

/** What a folder of pictures holds, in an order that is the same everywhere. */
export interface Listing {
  /** Where `train` and `val` are. */
  readonly root: string
  /** Names of folders. */
  readonly classes: readonly string[]
  readonly train: readonly Listed[]
  readonly validation: readonly Listed[]
}

/**
 * Lists the pictures of `train/<class>/*` and `val/<class>/*`. Archives may have a folder around them.
 *
 * @throws {Failure} If a split is missing, a class is empty, or validation has a class of its own.
 */
export async function listPictures(folder: string): Promise<Listing> {
  const root = await rootOf(folder)
  const [classes, others] = [await foldersIn(root, 'train'), await foldersIn(root, 'val')]
  const unknown = others.find((name) => !classes.includes(name))
  if (unknown) {
    throw new Failure(
      `${join(root, 'val', unknown)} is a class that ${join(root, 'train')} has not`,
    )
  }
  return {
    root,
    classes,
    train: await filesOf(root, 'train', classes, classes),
    validation: await filesOf(root, 'val', others, classes),
  }
}

async function rootOf(folder: string): Promise<string> {
  if (await isFolder(join(folder, 'train'))) return folder
  const around: string[] = []
  for (const { name } of await visibleIn(folder)) {
    if (await isFolder(join(folder, name, 'train'))) around.push(join(folder, name))
  }
  if (around.length === 1) return around[0]
  throw new Failure(`${folder} must hold a folder train with a folder for each class; it does not`)
}

async function foldersIn(root: string, split: string): Promise<readonly string[]> {
  const path = join(root, split)
  if (!(await isFolder(path))) throw new Failure(`${root} must hold a folder ${split}; it does not`)
  const names: string[] = []
  for (const { name } of await visibleIn(path)) {
    if (await isFolder(join(path, name))) names.push(name)
  }
  if (names.length === 0)
    throw new Failure(`${path} must hold a folder for each class; it is empty`)
  return names
}

async function filesOf(
  root: string,
  split: string,
  folders: readonly string[],
  classes: readonly string[],
): Promise<readonly Listed[]> {
  const listed: Listed[] = []
  for (const name of folders) {
    const folder = join(root, split, name)
    const entries = await visibleIn(folder)
    const inner = entries.find((entry) => entry.isDirectory())
    if (inner)
      throw new Failure(`${join(folder, inner.name)} is a folder; only pictures belong here`)
    if (entries.length === 0) throw new Failure(`${folder} holds no pictures`)
    const label = classes.indexOf(name)
    listed.push(...entries.map((file) => ({ path: `${split}/${name}/${file.name}`, label })))
  }
  return listed
}

/** Sorted by code units, not by anybody's language. */
async function visibleIn(folder: string): Promise<readonly Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      throw new Failure(`${folder} cannot be read: ${error.code}`)
    },
  )
  return entries
    .filter(({ name }) => !name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() ?? false
