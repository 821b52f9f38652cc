import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../failure.ts'
import { cacheFolder } from './cache-folder.ts'
import type { Dataset, Split } from './dataset.ts'
import { classNameOf } from './pictures/class-names.ts'
import { contentHash } from './pictures/content-hash.ts'
import { trainingSquare, validationSquare } from './pictures/decode.ts'
import { type Listing, listPictures } from './pictures/list.ts'
import type { Attendance } from './progress.ts'
import { shapesDataset } from './shapes.ts'
import { sharedLabels } from './shared-labels.ts'
import { publishedAt } from './sources/archives.ts'
import { locate, type Places } from './sources/locate.ts'
import { type Decoded, decodeSplit } from './store/decoded.ts'
import type { Skipped } from './store/index-file.ts'
import { readStock, type Stock, writeStock } from './store/store.ts'

/** A data set, and what there is to say about how it was made. */
export interface Opened {
  readonly dataset: Dataset
  /** Files that are no pictures. */
  readonly skipped: readonly Skipped[]
  /** How many pictures had one channel, which has become three. */
  readonly grey: number
  /** Where the pictures were found, and where they are kept decoded; nowhere, if they are drawn. */
  readonly folders?: { readonly pictures: string; readonly decoded: string }
}

/** Which data set to open, and how. */
export interface OpenOptions extends Partial<Places>, Attendance {
  /** A folder, an archive, or a name: `shapes` is embedded. */
  readonly data: string
  /** Edge of the pictures that a network sees, in pixels. */
  readonly size: number
}

/**
 * The edge of training squares. In 64 px crops of ImageWoof, neighbouring pixels differ by 99 % of what
 * they do in crops of the files themselves; by 90 % at a factor of 1.5.
 */
const trainingEdge = (size: number): number => Math.floor(1.75 * size)

/** See `Dataset`. */
const version = 2

/**
 * Opens a data set. Pictures are decoded when they are met first, and found again by their content.
 *
 * @throws {Failure} If the source is not what it must be.
 */
export async function openDataset({
  data,
  size,
  cache = cacheFolder(),
  address = process.env.IMAGEWOOF_ADDRESS ?? publishedAt,
  ...attendance
}: OpenOptions): Promise<Opened> {
  if (data === 'shapes') return { dataset: shapesDataset(size), skipped: [], grey: 0 }
  const { name, folder } = await locate(data, { cache, address }, attendance)
  const listing = await listPictures(folder)
  const hash = await contentHash(listing, attendance)
  const kept = join(cache, 'decoded')
  const ofThese = `${hash.slice(0, 16)}-${size}-`
  const decoded = join(kept, `${ofThese}${version}`)
  let stock = await readStock(decoded)
  if (!stock) {
    stock = await decodeAll(listing, size, attendance)
    await writeStock(decoded, stock)
    for (const other of await readdir(kept))
      if (other.startsWith(ofThese) && join(kept, other) !== decoded)
        await rm(join(kept, other), { recursive: true, force: true })
  }
  const { train, validation } = stock
  const classes = listing.classes.map(classNameOf)
  return {
    dataset: {
      name,
      hash,
      version,
      size,
      classes,
      train: split(train),
      validation: split(validation),
    },
    skipped: [...train.skipped, ...validation.skipped],
    grey: train.grey + validation.grey,
    folders: { pictures: listing.root, decoded },
  }
}

async function decodeAll(
  { root, classes, train, validation }: Listing,
  size: number,
  { onProgress, signal }: Attendance,
): Promise<Stock> {
  const total = train.length + validation.length
  let done = 0
  const onFile = (): void =>
    onProgress?.({ task: 'decoding', done: ++done, total, unit: 'pictures' })
  const [training, validating] = [
    { size: trainingEdge(size), squareOf: trainingSquare },
    { size, squareOf: validationSquare },
  ]
  const stock = {
    train: await decodeSplit(root, train, training, { onFile, signal }),
    validation: await decodeSplit(root, validation, validating, { onFile, signal }),
  }
  for (const [label, name] of classes.entries()) {
    const left = stock.train.labels.includes(label)
    if (!left) throw new Failure(`${join(root, 'train', name)} holds no picture that can be read`)
  }
  if (stock.validation.files.length === 0)
    throw new Failure(`${join(root, 'val')} holds no picture that can be read`)
  return stock
}

const split = ({ size, pixels, labels, aspects, files }: Decoded): Split => ({
  size,
  pixels,
  labels: sharedLabels(labels),
  aspects,
  files,
})
