import { createHash } from 'node:crypto'
import { classes, shapes } from '@diffgrad/testing/shapes'
import type { Dataset, Split } from './dataset.ts'
import { sharedLabels } from './shared-labels.ts'

const [trainingCount, validationCount] = [4000, 1000]

/** The embedded data set: drawn, not read. */
export function shapesDataset(size: number): Dataset {
  const [train, validation] = [drawn(trainingCount, size, 0), drawn(validationCount, size, 1)]
  const hash = createHash('sha256').update(train.pixels).update(validation.pixels).digest('hex')
  // The hash is of the squares themselves.
  return { name: 'shapes', hash, version: 1, size, classes, train, validation }
}

function drawn(count: number, size: number, seed: number): Split {
  const { pixels, labels } = shapes({ count, size, seed })
  const shared = new Uint8Array(new SharedArrayBuffer(pixels.length))
  shared.set(pixels)
  const files = Array.from(labels, (label, i) => `${classes[label]} ${i}`)
  const aspects = files.map(() => 1)
  return { size, pixels: shared, labels: sharedLabels(labels), aspects, files }
}
