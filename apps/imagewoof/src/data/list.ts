import { basename, dirname, join } from 'node:path'
import { Failure } from '../failure.ts'
import { findCifar, listCifar } from './cifar.ts'
import type { ImageFile, ImageListing } from './dataset.ts'
import { isLabelTable, readLabelTable, UnrelatedTable } from './labels.ts'
import {
  describeFolder,
  type Folder,
  filesIn,
  hasImageName,
  holdsImages,
  readTree,
  type SkippedFile,
  type TreeOptions,
} from './tree.ts'

const trainNames = ['train', 'training']
/** In the order of preference. */
const validationNames = ['val', 'valid', 'validation', 'test']

const expected =
  'expected <class>/*, or train/<class>/* and val/<class>/*, or images with a CSV that has a column file and a column label'

/**
 * Lists the image files of a data set in one of these layouts, which may have folders around them:
 *
 * - `train/<class>/*` and a folder `val`, `valid`, `validation` or `test`, in any case
 * - `<class>/*`, or `train/<class>/*` alone, whose validation images are still to be drawn
 * - images and a CSV with columns for file and label, and optionally for the split
 * - the binary files of CIFAR-10
 *
 * Classes may hold folders. What is certainly no image is listed in `skipped`.
 *
 * @param path - a folder, or a CSV.
 * @throws {Failure} If the layout is another one; the message lists what was found.
 * @throws the signal's reason if it aborts.
 */
export async function listImages(path: string, options: TreeOptions = {}): Promise<ImageListing> {
  const isTable = isLabelTable(path)
  const folder = isTable ? dirname(path) : path
  const { top, skipped } = await readTree(folder, options)
  if (isTable) {
    const listing = await readLabelTable(folder, top, basename(path))
    return { ...listing, skipped: [...skipped, ...listing.skipped] }
  }
  const cifar = findCifar(top)
  const splits = cifar ? undefined : splitFolders(top, folder)
  const base = cifar ?? splits?.base ?? innermost(top)
  const root = join(folder, base.path)
  const listing = cifar
    ? await listCifar(root, cifar.files, options.signal)
    : splits
      ? listSplits(root, splits)
      : ((await listTable(root, base)) ?? listClasses(root, base))
  const inside = (file: string): string =>
    base.path !== '' && file.startsWith(`${base.path}/`) ? relativeTo(base, file) : file
  const outer = skipped.map(({ file, reason }) => ({ file: inside(file), reason }))
  return { ...listing, skipped: [...outer, ...listing.skipped] }
}

const relativeTo = ({ path }: Folder, file: string): string =>
  path === '' ? file : file.slice(path.length + 1)

const fail = (root: string, reason: string, folder: Folder): never => {
  throw new Failure(`${root} ${reason}; ${expected}\n${describeFolder(folder)}`)
}

/** The folders of the splits, and the folder around them. */
interface SplitFolders {
  readonly base: Folder
  readonly train: Folder
  /** Undefined if no folder with classes has a name for validation. */
  readonly validation: Folder | undefined
  readonly warnings: readonly string[]
}

const holdsClasses = ({ folders }: Folder): boolean => folders.some(holdsImages)

/** Finds `train` and `val` in a folder or, if it has none, in the folders in it, level by level. */
function splitFolders(top: Folder, path: string): SplitFolders | undefined {
  const named = (folder: Folder, names: readonly string[]): readonly Folder[] =>
    folder.folders.filter(({ name }) => names.includes(name.toLowerCase()))
  for (let level: readonly Folder[] = [top]; level.length > 0; ) {
    const found = level.filter((base) => named(base, trainNames).some(holdsClasses))
    if (found.length > 1) {
      const names = found.map((base) => base.path).join(', ')
      throw new Failure(`${path} must hold one folder train, but ${names} hold one each`)
    }
    if (found.length === 1) {
      const [base] = found
      const trains = named(base, trainNames).filter(holdsClasses)
      const candidates = validationNames.flatMap((name) => named(base, [name]))
      const [validation, ...others] = candidates.filter(holdsClasses)
      const same = others.find(({ name }) => name.toLowerCase() !== 'test')
      const twice = trains[1] ? trains : same && validation ? [validation, same] : undefined
      if (twice) {
        const names = twice.map(({ name }) => name).join(' and ')
        throw new Failure(
          `${join(path, base.path)} holds ${names}; only one of them can be used, so --exclude the other`,
        )
      }
      const unused = candidates.filter((folder) => folder !== validation && holdsImages(folder))
      const warnings = unused.map((folder) =>
        holdsClasses(folder)
          ? `${folder.name} is not used: ${validation?.name} is the validation split.`
          : `${folder.name} is not used: it has no folder for each class.`,
      )
      return { base, train: trains[0], validation, warnings }
    }
    level = level.flatMap(({ folders }) => folders)
  }
  return undefined
}

function listSplits(
  root: string,
  { base, train, validation, warnings }: SplitFolders,
): Omit<ImageListing, 'root'> & { readonly root: string } {
  const trained = classesIn(base, train)
  const validated = validation && classesIn(base, validation)
  const classes = trained.classes.map(({ name }) => name)
  const unknown = validated?.classes.find(
    ({ name }) => !train.folders.some((folder) => folder.name === name),
  )
  if (unknown && validation)
    throw new Failure(
      `${join(root, validation.name, unknown.name)} is a class without ${join(root, train.name, unknown.name)}; the classes of ${train.name} are ${classes.join(', ')}`,
    )
  const untrained = (validated?.classes ?? []).filter(({ name }) => !classes.includes(name))
  return {
    root,
    classes,
    train: imagesOf(base, trained.classes, classes),
    validation: validated && imagesOf(base, validated.classes, classes),
    namedByPath: validation !== undefined,
    skipped: [
      ...trained.skipped,
      ...(validated?.skipped ?? []),
      ...untrained.map((folder) => ({
        file: relativeTo(base, folder.path),
        reason: 'class without training images',
      })),
    ],
    warnings,
  }
}

/** The folder that holds more than one folder with images, or images. */
function innermost(folder: Folder): Folder {
  const filled = folder.folders.filter(holdsImages)
  const [only] = filled
  const isAround =
    filled.length === 1 && !folder.files.some(hasImageFile) && !folder.files.some(isLabelTable)
  return isAround && only.folders.some(holdsImages) ? innermost(only) : folder
}

/** An extension is required here: files such as LICENSE often lie beside class folders. */
const hasImageFile = (file: string): boolean => hasImageName(file) && /\.[^.]+$/.test(file)

/** The listing of the only table with columns for file and label; undefined without such a table. */
async function listTable(root: string, base: Folder): Promise<ImageListing | undefined> {
  const listings: ImageListing[] = []
  const names = base.files.filter(isLabelTable)
  const used: string[] = []
  for (const name of names) {
    const listing = await readLabelTable(root, base, name).catch((error) => {
      if (error instanceof UnrelatedTable) return undefined // Other tables may lie beside class folders.
      throw error
    })
    if (!listing) continue
    listings.push(listing)
    used.push(name)
  }
  if (listings.length > 1)
    throw new Failure(`${root} holds ${used.join(' and ')}; pass one of them as --data`)
  return listings[0]
}

function listClasses(root: string, base: Folder): ImageListing {
  const { classes, skipped } = classesIn(base, base)
  const names = classes.map(({ name }) => name)
  const splitNames = [...trainNames, ...validationNames]
  if (names.length > 0 && names.every((name) => splitNames.includes(name.toLowerCase())))
    fail(root, `holds ${names.join(' and ')} without a folder for each class`, base)
  if (names.length === 0)
    fail(root, 'must hold images in a folder for each class, but holds none', base)
  return {
    root,
    classes: names,
    train: imagesOf(base, classes, names),
    validation: undefined,
    namedByPath: false,
    skipped,
    warnings: [],
  }
}

/** The folders with images in a folder, and what is skipped beside them. */
function classesIn(
  base: Folder,
  { path, folders, files }: Folder,
): { readonly classes: readonly Folder[]; readonly skipped: readonly SkippedFile[] } {
  const empty = folders.filter((folder) => !holdsImages(folder))
  const loose = files.filter(hasImageFile).map((file) => (path === '' ? file : `${path}/${file}`))
  return {
    classes: folders.filter(holdsImages),
    skipped: [
      ...empty.map((folder) => ({
        file: relativeTo(base, folder.path),
        reason: 'folder without images',
      })),
      ...loose.map((file) => ({ file: relativeTo(base, file), reason: 'image of no class' })),
    ],
  }
}

/** The files of class folders whose names are among `classes`. */
const imagesOf = (
  base: Folder,
  folders: readonly Folder[],
  classes: readonly string[],
): readonly ImageFile[] =>
  folders
    .filter(({ name }) => classes.includes(name))
    .flatMap((folder) => {
      const label = classes.indexOf(folder.name)
      return filesIn(folder).map((file) => ({ path: relativeTo(base, file), label }))
    })

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
