import { classes, type Shapes, shapes } from '@diffgrad/testing/shapes'
import * as tf from '@tensorflow/tfjs'

/** Edge of the pictures. */
export const size = 32

/** RGB bytes and labels. */
export const pictures: Shapes = shapes({ count: 640, size })

const count = pictures.labels.length
const bytes = size * size * 3

/** The pixels of a picture. */
export const pixelsOf = (picture: number): Uint8Array =>
  pictures.pixels.subarray(picture * bytes, (picture + 1) * bytes)

/** So many pictures from a place on, and their classes; after the last comes the first again. */
export function batchOf(
  from: number,
  length: number,
): { images: tf.Tensor4D; labels: tf.Tensor2D } {
  const chosen = Array.from({ length }, (_, i) => (from + i) % count)
  const pixels = Float32Array.from(chosen.flatMap((picture) => [...pixelsOf(picture)]))
  const labels = chosen.map((picture) => pictures.labels[picture])
  return tf.tidy(() => ({
    images: tf.sub(tf.div(tf.tensor4d(pixels, [length, size, size, 3]), 128), 1),
    labels: tf.oneHot(tf.tensor1d(labels, 'int32'), classes.length) as tf.Tensor2D, // Of one axis more.
  }))
}
