import { createHash } from 'node:crypto'
import { Failure } from '../failure.ts'
import { formatCount } from '../format.ts'
import type { ImageFile, ImageListing } from './dataset.ts'

/** SHA-256 of files, in hexadecimal, by their paths. */
export type FileDigests = ReadonlyMap<string, string>

/** A listing with both splits. */
export interface SplitListing extends ImageListing {
  readonly validation: readonly ImageFile[]
}

/** Share of validation images that is drawn from data sets without a split, unless it is set. */
export const defaultValidation = 0.2

/**
 * Draws the validation images of a listing without a split. Listings with a split are returned as they are.
 *
 * @param validation - the share to draw, in (0, 1).
 * @throws {Failure} If the share is set, but the listing has a split.
 */
export function drawValidation(
  listing: ImageListing,
  digests: FileDigests,
  validation: number | undefined,
): SplitListing {
  if (listing.validation) {
    if (validation === undefined) return { ...listing, validation: listing.validation }
    throw new Failure(
      `--validation ${validation} has no effect: ${listing.root} has validation images of its own`,
    )
  }
  return divideTraining(listing, digests, validation ?? defaultValidation, positionOf)
}

/**
 * Holds out a share of the training images, which become the validation images.
 *
 * @param share - in (0, 1).
 */
export const holdOutImages = (
  listing: SplitListing,
  digests: FileDigests,
  share: number,
): SplitListing => ({
  ...divideTraining(listing, digests, share, secondPositionOf),
  namedByPath: false, // Paths name another split.
})

/**
 * Makes a share of the training images the validation images. Each content is drawn by its own SHA-256, so
 * that equal contents are on the same side, and a draw stays the same when files are renamed or others
 * are added. A class whose draw leaves one side empty gives that side its nearest content.
 *
 * @param position - of a digest, in [0, 1): those below the share are drawn.
 */
function divideTraining(
  listing: ImageListing,
  digests: FileDigests,
  share: number,
  position: (digest: string) => number,
): SplitListing {
  const { classes, train } = listing
  const digestOf = ({ path }: ImageFile): string => digests.get(path) ?? ''
  const drawn = new Set(train.map(digestOf).filter((digest) => position(digest) < share))
  for (const label of classes.keys()) {
    const contents = [...new Set(train.filter((file) => file.label === label).map(digestOf))]
    if (contents.length < 2) continue
    contents.sort((a, b) => position(a) - position(b))
    if (!contents.some((digest) => drawn.has(digest))) drawn.add(contents[0])
    if (contents.every((digest) => drawn.has(digest))) drawn.delete(contents[contents.length - 1])
  }
  return {
    ...listing,
    train: train.filter((file) => !drawn.has(digestOf(file))),
    validation: train.filter((file) => drawn.has(digestOf(file))),
  }
}

/** The position of a digest among all digests, in [0, 1). */
const positionOf = (digest: string): number => Number.parseInt(digest.slice(0, 12), 16) / 2 ** 48

/** A position independent of the first, by which validation images and a part of the data are drawn. */
const secondPositionOf = (digest: string): number => positionOf(digest.slice(12))

/**
 * Draws images of a split, with the same share of every class, and at least one image of each. In a class
 * those with the first SHA-256 are drawn, so that the draw depends on contents alone, and a larger draw
 * holds a smaller one.
 *
 * @param count - of the images to draw; undefined for all.
 * @param option - that sets the count, as error messages call it.
 * @throws {Failure} If the split has fewer images, or more classes.
 */
export function drawImages(
  images: readonly ImageFile[],
  digests: FileDigests,
  count: number | undefined,
  option: string,
): readonly ImageFile[] {
  if (count === undefined) return images
  const labels = [...new Set(images.map(({ label }) => label))]
  requireDrawable(count, images.length, labels.length, option)
  const keyOf = ({ path }: ImageFile): string => `${digests.get(path)} ${path}`
  // Webster's method of apportionment, but with at least one image for each class.
  const ranked = labels.flatMap((label) => {
    const members = images.filter((image) => image.label === label)
    return members
      .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
      .map((image, i) => ({ image, rank: i === 0 ? 0 : (i + 0.5) / members.length }))
  })
  const drawn = ranked.toSorted((a, b) => a.rank - b.rank || a.image.label - b.image.label)
  const kept = new Set(drawn.slice(0, count).map(({ image }) => image))
  return images.filter((image) => kept.has(image))
}

/** @throws {Failure} If so many images of each class's share cannot be drawn. */
export function requireDrawable(
  count: number,
  images: number,
  classes: number,
  option: string,
): void {
  if (count < classes || count > images)
    throw new Failure(
      `${option} must be from ${classes}, the number of classes, to ${images}, the number of images, but is ${count}`,
    )
}

/** SHA-256 over splits, classes, paths and contents of all files. */
export function identityOf(
  { classes, train, validation, namedByPath }: SplitListing,
  digests: FileDigests,
): string {
  const hash = createHash('sha256')
  for (const [split, files] of Object.entries({ train, validation }))
    for (const { path, label } of files) {
      const name = namedByPath ? path : `${split}/${classes[label]}/${path}`
      hash.update(`${digests.get(path)}  ${name}\n`)
    }
  return hash.digest('hex')
}

/** The decoded files of a split, and their classes. */
interface LabelledFiles {
  readonly files: readonly string[]
  readonly labels: ArrayLike<number>
}

/** Largest ratio of class sizes that is not reported. */
const largestImbalance = 20
/** Fewer images of a class are reported: `training` in training, `validation` in all of validation. */
const fewImages = { training: 10, validation: 30 }

/** What a user should know of a data set before a training, in sentences. */
export function dataWarnings(
  classes: readonly string[],
  train: LabelledFiles,
  validation: LabelledFiles,
  digests: FileDigests,
): readonly string[] {
  return [
    ...duplicateWarnings(classes, train, validation, digests),
    ...missingWarnings(classes, validation),
    ...sizeWarnings(classes, train, validation),
  ]
}

function duplicateWarnings(
  classes: readonly string[],
  train: LabelledFiles,
  validation: LabelledFiles,
  digests: FileDigests,
): readonly string[] {
  const trained = new Map(train.files.map((file) => [digests.get(file), file]))
  const twins = validation.files.flatMap((file) => {
    const twin = trained.get(digests.get(file))
    return twin === undefined ? [] : [`${file} equals ${twin}`]
  })
  const labelOf = new Map<string | undefined, number>()
  const conflicts: string[] = []
  for (const { files, labels } of [train, validation])
    for (const [i, file] of files.entries()) {
      const digest = digests.get(file)
      const label = labelOf.get(digest)
      if (label === undefined) labelOf.set(digest, labels[i])
      else if (label !== labels[i])
        conflicts.push(`${file} is ${classes[labels[i]]} here and ${classes[label]} elsewhere`)
    }
  return [
    ...(twins.length > 0
      ? [
          `${formatCount(twins.length)} of ${formatCount(validation.files.length)} validation images are training images too, so that the accuracy is too high: ${listed(twins)}.`,
        ]
      : []),
    ...(conflicts.length > 0 ? [`Equal images have different classes: ${listed(conflicts)}.`] : []),
  ]
}

function missingWarnings(classes: readonly string[], { labels }: LabelledFiles): readonly string[] {
  const validated = new Set(Array.from(labels))
  const missing = classes.filter((_, label) => !validated.has(label))
  if (missing.length === 0) return []
  return [
    `${missing.length} of ${classes.length} classes have no validation images, so that nothing is known of them: ${listed(missing)}.`,
  ]
}

function sizeWarnings(
  classes: readonly string[],
  train: LabelledFiles,
  validation: LabelledFiles,
): readonly string[] {
  const counts = classes.map(() => 0)
  for (const label of Array.from(train.labels)) counts[label]++
  const order = [...counts.keys()].sort((a, b) => counts[a] - counts[b])
  const [smallest, largest] = [order[0], order[order.length - 1]]
  const few = order.filter((label) => counts[label] < fewImages.training)
  const described = (label: number): string => `${classes[label]} (${formatCount(counts[label])})`
  return [
    ...(counts[largest] > largestImbalance * counts[smallest]
      ? [
          `The classes are unbalanced: ${described(largest)} has more than ${largestImbalance} times the training images of ${described(smallest)}.`,
        ]
      : []),
    ...(few.length > 0
      ? [
          `${few.length} of ${classes.length} classes have fewer than ${fewImages.training} training images: ${listed(few.map(described))}.`,
        ]
      : []),
    ...(validation.files.length < fewImages.validation
      ? [
          `There are only ${validation.files.length} validation images, so that an accuracy can be off by ${Math.round(100 / Math.sqrt(validation.files.length))} percentage points.`,
        ]
      : []),
  ]
}

/** The first items, and how many more there are. */
function listed(items: readonly string[]): string {
  const shown = 5
  const rest = items.length - shown
  return [...items.slice(0, shown), ...(rest > 0 ? [`and ${formatCount(rest)} more`] : [])].join(
    ', ',
  )
}
