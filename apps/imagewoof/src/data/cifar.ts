import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../failure.ts'
import { formatCount } from '../format.ts'
import type { ImageFile, ImageListing } from './dataset.ts'
import type { Folder } from './tree.ts'

const trainFiles = [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`)
const validationFile = 'test_batch.bin'
const classesFile = 'batches.meta.txt'

/** Edge of the images, in pixels. */
const edge = 32

/** A label, and then the red, the green and the blue plane, each row by row. */
const recordLength = 1 + 3 * edge ** 2

/** Of the published training and test batches. */
const publishedCounts = { train: 50_000, validation: 10_000 }

/** The folder that holds binary files of CIFAR-10; undefined if there is none. */
export function findCifar(folder: Folder): Folder | undefined {
  const isHere = folder.files.some((file) => [...trainFiles, validationFile].includes(file))
  if (isHere) return folder
  for (const inner of folder.folders) {
    const found = findCifar(inner)
    if (found) return found
  }
  return undefined
}

/**
 * Lists the images of CIFAR-10's binary version: training images of `data_batch_1.bin` to
 * `data_batch_5.bin`, validation images of `test_batch.bin`, and class names of `batches.meta.txt`. The
 * path of an image is that of its file, `#` and its index in it.
 *
 * @param files - that are in the folder.
 * @throws {Failure} If a file is missing or truncated, or a label is not that of a class.
 * @throws the signal's reason if it aborts.
 * @see https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version"
 */
export async function listCifar(
  root: string,
  files: readonly string[],
  signal?: AbortSignal,
): Promise<ImageListing> {
  const missing = [classesFile, ...trainFiles, validationFile].find((file) => !files.includes(file))
  if (missing !== undefined) throw new Failure(`${root} must hold ${missing}, a file of CIFAR-10`)
  const text = await readFile(join(root, classesFile), 'utf8')
  const classes = text.split(/\r?\n/).filter((name) => name.trim() !== '')
  const planes = new Map<string, Uint8Array>()

  async function imagesIn(file: string): Promise<readonly ImageFile[]> {
    signal?.throwIfAborted()
    const bytes = await readFile(join(root, file))
    const count = bytes.length / recordLength
    if (!Number.isInteger(count) || count === 0)
      throw new Failure(
        `${join(root, file)} must have a multiple of ${recordLength} bytes, but has ${bytes.length}: it is not complete`,
      )
    return Array.from({ length: count }, (_, i) => {
      const record = bytes.subarray(i * recordLength, (i + 1) * recordLength)
      const [label] = record
      if (label >= classes.length)
        throw new Failure(
          `${join(root, file)}, image ${i}: the label must be below ${classes.length}, the number of names in ${classesFile}, but is ${label}`,
        )
      const path = `${file}#${i}`
      planes.set(path, record.subarray(1))
      return { path, label }
    })
  }

  const train: ImageFile[] = []
  for (const file of trainFiles) train.push(...(await imagesIn(file)))
  const validation = await imagesIn(validationFile)
  const isWhole =
    train.length === publishedCounts.train && validation.length === publishedCounts.validation
  return {
    ...{ root, classes, train, validation },
    namedByPath: false,
    skipped: [],
    warnings: isWhole
      ? []
      : [
          `The files hold ${formatCount(train.length)} training and ${formatCount(validation.length)} test images, but CIFAR-10 has ${formatCount(publishedCounts.train)} and ${formatCount(publishedCounts.validation)}.`,
        ],
    records: { edge, planes },
  }
}
