import type { Draw } from './random.ts'

/** A part of a picture, in whole pixels. */
export interface Crop {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

const attempts = 10

const mostOblong = 4 / 3

/**
 * A random part of a picture, as in the Inception paper (arXiv:1409.4842, section 6) and torchvision's
 * RandomResizedCrop: its share of the area is even in [least, 1], the logarithm of its aspect ratio
 * in [log ¾, log 4⁄3]. What does not fit is drawn again; after ten times the middle is taken, with as
 * much around it as the ratio allows.
 *
 * @param edge - of the square in which the picture is stored, in pixels.
 * @param aspect - width over height of the picture before it became a square.
 */
export function randomCrop(edge: number, aspect: number, least: number, draw: Draw): Crop {
  const pixels = (share: number): number => Math.max(Math.round(edge * share), 1)
  for (let attempt = 0; attempt < attempts; attempt++) {
    const area = least + (1 - least) * draw()
    const ratio = mostOblong ** (2 * draw() - 1)
    const [width, height] = [
      pixels(Math.sqrt((area * ratio) / aspect)),
      pixels(Math.sqrt((area * aspect) / ratio)),
    ]
    if (width > edge || height > edge) continue
    const left = Math.floor((edge - width + 1) * draw())
    const top = Math.floor((edge - height + 1) * draw())
    return { left, top, width, height }
  }
  const [width, height] = [
    pixels(Math.min(mostOblong / aspect, 1)),
    pixels(Math.min(mostOblong * aspect, 1)),
  ]
  return {
    left: Math.floor((edge - width) / 2),
    top: Math.floor((edge - height) / 2),
    width,
    height,
  }
}
