import { createHash } from 'node:crypto'
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import { classes, shapes } from '@diffgrad/testing/shapes'
import { Failure } from '../failure.ts'
import { cacheFolder, createCacheFolder, recordUse, useCache } from './cache.ts'
import { ChunkFiles } from './chunks.ts'
import {
  type Dataset,
  type ImageListing,
  type Split,
  selectImages,
  sharedLabels,
} from './dataset.ts'
import {
  type DecodedImage,
  digestFiles,
  type OpenedImage,
  openImage,
  openPlanes,
  trainingSquare,
  validationSquare,
} from './decode.ts'
import { type DecodedSplit, decodeSplit } from './decode-split.ts'
import { DigestIndex } from './digest-index.ts'
import { classNameOf, listImages } from './list.ts'
import { centralShare } from './loader/resample.ts'
import type { ProgressOptions } from './progress.ts'
import { type DataLocations, locate } from './sources/locate.ts'
import {
  dataWarnings,
  defaultValidation,
  drawImages,
  drawValidation,
  type FileDigests,
  holdOutImages,
  identityOf,
  requireDrawable,
  type SplitListing,
} from './split.ts'
import { countReasons, type SkippedFile } from './tree.ts'

/** A data set, and what was found while decoding it. */
export interface OpenedDataset {
  readonly dataset: Dataset
  /** Files that are no images, or cannot be decoded, and folders without images. */
  readonly skipped: readonly SkippedFile[]
  /** The share of the images that was drawn for validation; undefined if the data set has a split. */
  readonly drawn?: number | undefined
  /** Number of one-channel images, which are converted to RGB. */
  readonly grey: number
  /** Folders of the image files and of the decoded cache; undefined for the embedded data set. */
  readonly folders?: { readonly images: string; readonly decoded: string }
}

/** Which data set to open, and how. */
export interface OpenOptions extends Partial<DataLocations>, ProgressOptions {
  /** A folder, an archive, its URL, a CSV, or a name; `shapes` is the embedded data set. */
  readonly data: string
  /** Share of the images to draw for validation, in (0, 1), from a data set without a split. */
  readonly validation?: number | undefined
  /** Patterns of paths to leave out. */
  readonly exclude?: readonly string[] | undefined
  /** Draw so many training images; undefined for all. */
  readonly trainImages?: number | undefined
  /** Draw so many validation images; undefined for all. */
  readonly validationImages?: number | undefined
  /** Share of the training images to validate on instead, in (0, 1). */
  readonly holdOut?: number | undefined
  /** Edge of the network's input, in pixels. */
  readonly size: number
  /** Share of an image's shorter side that the network sees in validation, in (0, 1]; 7⁄8 by default. */
  readonly validationCrop?: number | undefined
  /** Receives the number of training images, at most, before they are read; may throw. */
  readonly onListed?: ((count: number) => void) | undefined
}

/**
 * The edge of training squares. In 64 px crops of ImageWoof, the mean difference of neighbouring pixels
 * is 99 % of that in crops of the original files; a factor of 1.5 gives 90 %.
 */
const trainingEdge = (size: number): number => Math.floor(1.75 * size)

/** See `Dataset.version`. */
const version = 3

/**
 * Opens a data set. Images are decoded the first time, and found by their content hash in the cache
 * after that. An interrupted decoding is resumed by the next call.
 *
 * @throws {Failure} If the source does not exist or is not a data set.
 */
export async function openDataset({
  cache = cacheFolder(),
  address = process.env.IMAGEWOOF_ADDRESS,
  ...options
}: OpenOptions): Promise<OpenedDataset> {
  if (options.data === 'shapes') return { dataset: shapesDataset(options), skipped: [], grey: 0 }
  return useCache(cache, () => openImages({ cache, address, ...options }))
}

const [shapesTrained, shapesValidated] = [4000, 1000]

/** Opens a data set of image files or records. */
async function openImages({
  data,
  size,
  validation: share,
  exclude = [],
  trainImages,
  validationImages,
  holdOut,
  validationCrop = centralShare,
  cache,
  address,
  onListed,
  ...progress
}: OpenOptions & DataLocations): Promise<OpenedDataset> {
  const { name, path } = await locate(data, { cache, address }, progress)
  const found = await listImages(path, { exclude, ...progress })
  onListed?.(Math.min(found.train.length, trainImages ?? Infinity))
  const { digests, skipped } = await digestImages(found, cache, progress)
  const isRead = (file: { readonly path: string }): boolean => digests.has(file.path)
  const readable = {
    ...found,
    train: found.train.filter(isRead),
    validation: found.validation?.filter(isRead),
  }
  const split = drawValidation(readable, digests, share)
  const reduced = {
    ...split,
    train: drawImages(split.train, digests, trainImages, '--train-images'),
    validation: drawImages(split.validation, digests, validationImages, '--validation-images'),
  }
  const listing = holdOut === undefined ? reduced : holdOutImages(reduced, digests, holdOut)
  if (listing.classes.length < 2) throw new Failure(tooFewClasses(listing))
  const hash = identityOf(listing, digests)
  const parent = join(cache, 'decoded')
  const decodedFolder = join(parent, `${hash.slice(0, 16)}-${size}-${version}`)
  await createCacheFolder(decodedFolder)
  await removeOlderVersions(parent)
  const decoded = await decodeAll(listing, decodedFolder, { size, validationCrop }, progress)
  const description = `${name}, ${size} px`
  const about = join(decodedFolder, 'about.json')
  if (!(await stat(about).catch(() => undefined)))
    await replaceFile(about, Buffer.from(JSON.stringify({ description })))
  await recordUse(cache, [decodedFolder, listing.root])
  const { train, validation } = decoded
  const classes = listing.classes.map(classNameOf)
  return {
    dataset: {
      name,
      hash,
      version,
      size,
      classes,
      train: splitOf(train),
      validation: splitOf(validation),
      warnings: [...listing.warnings, ...dataWarnings(classes, train, validation, digests)],
    },
    skipped: [...listing.skipped, ...skipped, ...train.skipped, ...validation.skipped],
    grey: train.grey + validation.grey,
    drawn: holdOut ?? (found.validation ? undefined : (share ?? defaultValidation)),
    folders: { images: listing.root, decoded: decodedFolder },
  }
}

/** SHA-256 of the images of a listing, by their paths; those that cannot be read are skipped. */
async function digestImages(
  { root, train, validation = [], records }: ImageListing,
  cache: string,
  progress: ProgressOptions,
): Promise<{ readonly digests: FileDigests; readonly skipped: readonly SkippedFile[] }> {
  if (records) {
    const digests = Array.from(
      records.planes,
      ([path, planes]) => [path, createHash('sha256').update(planes).digest('hex')] as const,
    )
    return { digests: new Map(digests), skipped: [] }
  }
  const index = await DigestIndex.open(cache, root)
  return digestFiles(index, [...train, ...validation], progress).finally(() => index.close())
}

function tooFewClasses({ root, classes, skipped }: ImageListing): string {
  const left = skipped.length > 0 ? `; skipped: ${countReasons(skipped)}` : ''
  return `${root} must hold images of at least two classes, but holds ${classes.join(', ') || 'none'} only: there is nothing to learn${left}`
}

/** Removes images that older versions have decoded. */
async function removeOlderVersions(parent: string): Promise<void> {
  for (const name of await readdir(parent))
    if (Number(name.match(/^[\da-f]+-\d+-(\d+)$/)?.[1]) < version)
      await rm(join(parent, name), { recursive: true, force: true })
}

interface DecodedDataset {
  readonly train: DecodedSplit
  readonly validation: DecodedSplit
}

async function decodeAll(
  { root, classes, train, validation, records }: SplitListing,
  folder: string,
  { size, validationCrop }: { readonly size: number; readonly validationCrop: number },
  { onProgress, signal }: ProgressOptions,
): Promise<DecodedDataset> {
  const total = train.length + validation.length
  let done = 0
  const open = async (path: string): Promise<OpenedImage> => {
    const planes = records?.planes.get(path)
    return planes ? openPlanes(planes) : openImage(await readFile(join(root, path)))
  }
  const options = (split: string) => ({
    open,
    chunks: new ChunkFiles(folder, split),
    onKept: (count: number): void => {
      done += count
    },
    onFile: (): void => onProgress?.({ task: 'decoding', done: ++done, total, unit: 'images' }),
    signal,
  })
  const trainSquares = {
    size: Math.min(trainingEdge(size), records?.edge ?? Infinity),
    squareOf: trainingSquare,
  }
  const validationSquares = {
    size,
    squareOf: (image: DecodedImage) => validationSquare(image, size, validationCrop),
  }
  // Both splits are in one folder, whose training images all crops share.
  const ofCrop = validationCrop === centralShare ? '' : `-${validationCrop}`
  const decoded = {
    train: await decodeSplit(train, trainSquares, options('train')),
    validation: await decodeSplit(validation, validationSquares, options(`validation${ofCrop}`)),
  }
  const undecoded = [...decoded.train.skipped, ...decoded.validation.skipped]
  for (const [label, name] of classes.entries())
    if (!decoded.train.labels.includes(label)) {
      const ofClass = new Set(train.filter((file) => file.label === label).map(({ path }) => path))
      const reasons = undecoded.filter(({ file }) => ofClass.has(file))
      const listed = reasons.length > 0 ? `: ${countReasons(reasons)}` : ''
      throw new Failure(
        `the class ${name} of ${root} has no training image that can be decoded${listed}`,
      )
    }
  if (decoded.validation.files.length === 0)
    throw new Failure(
      `${root} has no validation image that can be decoded: ${countReasons(undecoded) || 'none was drawn'}`,
    )
  return decoded
}

const splitOf = ({ size, pixels, labels, aspects, files }: DecodedSplit): Split => ({
  size,
  pixels,
  labels: sharedLabels(labels),
  aspects,
  files,
})

/** The embedded data set: images of geometric shapes, rendered instead of read. */
function shapesDataset({
  size,
  trainImages = shapesTrained,
  validationImages = shapesValidated,
  holdOut,
  onListed,
}: OpenOptions): Dataset {
  // Classes take turns, so that the first images are of all classes.
  requireDrawable(trainImages, shapesTrained, classes.length, '--train-images')
  requireDrawable(validationImages, shapesValidated, classes.length, '--validation-images')
  onListed?.(trainImages)
  const rendered = renderShapes(trainImages, size, 0)
  const { train, validation } =
    holdOut === undefined
      ? { train: rendered, validation: renderShapes(validationImages, size, 1) }
      : divideShapes(rendered, holdOut)
  const hash = createHash('sha256').update(train.pixels).update(validation.pixels)
  if (holdOut !== undefined) hash.update(`held out: ${validation.files.length}`)
  // The hash covers the squares themselves, so the version never changes.
  return {
    ...{ name: 'shapes', hash: hash.digest('hex'), version: 1, size },
    ...{ classes, train, validation, warnings: [] },
  }
}

/** Makes the last share of the training images the validation images. Classes take turns in both. */
function divideShapes(images: Split, holdOut: number): Pick<Dataset, 'train' | 'validation'> {
  const indices = [...images.files.keys()]
  const share = Math.round((1 - holdOut) * indices.length)
  const kept = Math.min(Math.max(share, 1), indices.length - 1)
  return {
    train: selectImages(images, indices.slice(0, kept)),
    validation: selectImages(images, indices.slice(kept)),
  }
}

function renderShapes(count: number, size: number, seed: number): Split {
  const { pixels, labels } = shapes({ count, size, seed })
  const shared = new Uint8Array(new SharedArrayBuffer(pixels.length))
  shared.set(pixels)
  const files = Array.from(labels, (label, i) => `${classes[label]} ${i}`)
  const aspects = files.map(() => 1)
  return { size, pixels: shared, labels: sharedLabels(labels), aspects, files }
}
