import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../failure.ts'

/** An image file of a data set. */
export interface ImageFile {
  /** Relative to the data set, with slashes: `train/beagle/1.jpg`. */
  readonly path: string
  /** Class index. */
  readonly label: number
}

/** The image files of a data set, in an order that does not depend on the machine. */
export interface ImageListing {
  /** The folder that holds `train` and `val`. */
  readonly root: string
  /** Names of the class folders. */
  readonly classes: readonly string[]
  readonly train: readonly ImageFile[]
  readonly validation: readonly ImageFile[]
}

/**
 * Lists the files of `train/<class>/*` and `val/<class>/*`. Archives may have one folder around both.
 *
 * @throws {Failure} If a split is missing, a class is empty, or a validation class has no training images.
 */
export async function listImages(folder: string): Promise<ImageListing> {
  const root = await findRoot(folder)
  const classes = await classFolders(root, 'train')
  const validationClasses = await classFolders(root, 'val')
  const unknown = validationClasses.find((name) => !classes.includes(name))
  if (unknown) {
    throw new Failure(`${join(root, 'val', unknown)} is a class without ${join(root, 'train')}`)
  }
  return {
    root,
    classes,
    train: await listSplit(root, 'train', classes, classes),
    validation: await listSplit(root, 'val', validationClasses, classes),
  }
}

async function findRoot(folder: string): Promise<string> {
  if (await isFolder(join(folder, 'train'))) return folder
  const candidates: string[] = []
  for (const { name } of await visibleEntries(folder)) {
    if (await isFolder(join(folder, name, 'train'))) candidates.push(join(folder, name))
  }
  if (candidates.length === 1) return candidates[0]
  throw new Failure(`${folder} must hold a folder train with a folder for each class; it does not`)
}

async function classFolders(root: string, split: string): Promise<readonly string[]> {
  const path = join(root, split)
  if (!(await isFolder(path))) throw new Failure(`${root} must hold a folder ${split}; it does not`)
  const names: string[] = []
  for (const { name } of await visibleEntries(path)) {
    if (await isFolder(join(path, name))) names.push(name)
  }
  if (names.length === 0)
    throw new Failure(`${path} must hold a folder for each class; it is empty`)
  return names
}

async function listSplit(
  root: string,
  split: string,
  folders: readonly string[],
  classes: readonly string[],
): Promise<readonly ImageFile[]> {
  const files: ImageFile[] = []
  for (const name of folders) {
    const folder = join(root, split, name)
    const entries = await visibleEntries(folder)
    const inner = entries.find((entry) => entry.isDirectory())
    if (inner)
      throw new Failure(
        `${join(folder, inner.name)} is a folder; a class may hold only image files`,
      )
    if (entries.length === 0) throw new Failure(`${folder} holds no images`)
    const label = classes.indexOf(name)
    files.push(...entries.map((file) => ({ path: `${split}/${name}/${file.name}`, label })))
  }
  return files
}

/** Sorted by code units, which does not depend on the locale. */
async function visibleEntries(folder: string): Promise<readonly Dirent[]> {
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

/** Class names of ImageWoof and Imagenette, by WordNet id. */
const wordNetNames: ReadonlyMap<string, string> = new Map([
  ['n02086240', 'Shih-Tzu'],
  ['n02087394', 'Rhodesian ridgeback'],
  ['n02088364', 'beagle'],
  ['n02089973', 'English foxhound'],
  ['n02093754', 'Border terrier'],
  ['n02096294', 'Australian terrier'],
  ['n02099601', 'golden retriever'],
  ['n02105641', 'Old English sheepdog'],
  ['n02111889', 'Samoyed'],
  ['n02115641', 'dingo'],
  ['n01440764', 'tench'],
  ['n02102040', 'English springer'],
  ['n02979186', 'cassette player'],
  ['n03000684', 'chain saw'],
  ['n03028079', 'church'],
  ['n03394916', 'French horn'],
  ['n03417042', 'garbage truck'],
  ['n03425413', 'gas pump'],
  ['n03445777', 'golf ball'],
  ['n03888257', 'parachute'],
])

/** The class name of a class folder: the folder's name, or the English name of a WordNet id. */
export const classNameOf = (folder: string): string => wordNetNames.get(folder) ?? folder
