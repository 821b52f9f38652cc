import type { SkippedFile } from './tree.ts'

/** An image file of a data set. */
export interface ImageFile {
  /** Relative to the data set, with slashes: `train/beagle/1.jpg`. */
  readonly path: string
  /** Class index. */
  readonly label: number
}

/** The images of a data set that are records of binary files instead of image files. */
interface ImageRecords {
  /** Edge of every image, in pixels. */
  readonly edge: number
  /** RGB bytes by the path of an image · 3 × edge × edge. */
  readonly planes: ReadonlyMap<string, Uint8Array>
}

/** The image files of a data set, in an order that does not depend on the machine. */
export interface ImageListing {
  /** The folder that paths are relative to. */
  readonly root: string
  /** Names of the class folders, or labels of a table. */
  readonly classes: readonly string[]
  readonly train: readonly ImageFile[]
  /** Undefined if the data set has no validation images, so that they are drawn from `train`. */
  readonly validation: readonly ImageFile[] | undefined
  /** Whether the paths name split and class, as `train/<class>/*` and `val/<class>/*` do. */
  readonly namedByPath: boolean
  readonly skipped: readonly SkippedFile[]
  readonly warnings: readonly string[]
  /** Undefined if the images are files. */
  readonly records?: ImageRecords
}

/** The decoded images of one split, in shared memory, which the loader's threads read without a copy. */
export interface Split {
  /** Edge of the stored squares, in pixels. */
  readonly size: number
  /** RGB bytes · images × size × size × 3. */
  readonly pixels: Uint8Array<SharedArrayBuffer>
  /** The class of each image, an index into `classes`. */
  readonly labels: Uint16Array<SharedArrayBuffer>
  /** Width / height of each image before it was resized to a square. */
  readonly aspects: readonly number[]
  /** Path of each image, relative to the data set. */
  readonly files: readonly string[]
}

/** A decoded data set. */
export interface Dataset {
  readonly name: string
  /** SHA-256 over the paths, classes and bytes of all images. Results are recorded with it. */
  readonly hash: string
  /** Version of the decoding: another version makes other squares of the same images. */
  readonly version: number
  /**
   * Edge of the network's input, in pixels. Validation images are stored in this size, training images
   * larger, so that crops of them still have enough detail.
   */
  readonly size: number
  readonly classes: readonly string[]
  readonly train: Split
  readonly validation: Split
  /** What a user should know of the data before a training, in sentences. */
  readonly warnings: readonly string[]
}

/**
 * Weights of the classes that give each the same total weight in the training images: n / (K · n_c) for
 * n images, n_c of them of class c, and K classes. As in scikit-learn's `class_weight='balanced'`.
 */
export function balancedClassWeights({
  classes,
  train: { labels },
}: Pick<Dataset, 'classes' | 'train'>): readonly number[] {
  const counts = classes.map(() => 0)
  for (const label of labels) counts[label]++
  return counts.map((count) => labels.length / (classes.length * count))
}

/** Copies labels into shared memory. */
export function sharedLabels(labels: ArrayLike<number>): Uint16Array<SharedArrayBuffer> {
  const shared = new Uint16Array(new SharedArrayBuffer(2 * labels.length))
  shared.set(labels)
  return shared
}

/** The images of a split at some indices, in that order. */
export function selectImages({ size, ...split }: Split, indices: readonly number[]): Split {
  const length = 3 * size * size
  const pixels = new Uint8Array(new SharedArrayBuffer(length * indices.length))
  for (const [to, from] of indices.entries())
    pixels.set(split.pixels.subarray(from * length, (from + 1) * length), to * length)
  return {
    size,
    pixels,
    labels: sharedLabels(indices.map((i) => split.labels[i])),
    aspects: indices.map((i) => split.aspects[i]),
    files: indices.map((i) => split.files[i]),
  }
}
