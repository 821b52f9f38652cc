import type { Draw } from './random.ts'

/** A part of a picture, in whole pixels. */
export interface Crop {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

const attempts = 10

/** Fewer pixels cannot be resampled. */
const smallest = 3

const mostOblong = Math.log(4 / 3)

/**
 * A random part of a square, as in the Inception paper (arXiv:1409.4842, section 6) and torchvision's
 * RandomResizedCrop: its share of the area is even in [least, 1], the logarithm of its aspect ratio
 * in [log ¾, log 4⁄3]. What does not fit is drawn again, and after ten times the whole is taken.
 */
export function randomCrop(edge: number, least: number, draw: Draw): Crop {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const area = edge * edge * (least + (1 - least) * draw())
    const ratio = Math.exp(mostOblong * (2 * draw() - 1))
    const width = Math.max(Math.round(Math.sqrt(area * ratio)), smallest)
    const height = Math.max(Math.round(Math.sqrt(area / ratio)), smallest)
    if (width > edge || height > edge) continue
    const left = Math.floor((edge - width + 1) * draw())
    const top = Math.floor((edge - height + 1) * draw())
    return { left, top, width, height }
  }
  return { left: 0, top: 0, width: edge, height: edge }
}
