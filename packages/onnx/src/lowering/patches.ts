import { sizes, type Value } from '../ir/value.ts'
import { elementCount } from '../model/model.ts'
import { concat, filled, gather, reshape, transpose } from '../ops/operations.ts'
import { places } from '../shapes/places.ts'
import type { Window } from '../shapes/window.ts'

/**
 * What a kernel sees at every point: (batch · points) × (kernel · channels). Channels lie side by
 * side, so that all is gathered at once, in runs; what lies in the padding is a row of zeros.
 */
export function patches(image: Value, window: Window, points: readonly number[]): Value {
  const [batch = 1, channels = 1, ...space] = sizes(image)
  const pixels = elementCount(space)
  const rows = transpose(reshape(image, [batch, channels, pixels]), [0, 2, 1])
  const seen = places(points).flatMap((point) =>
    places(window.kernel).map((element) => pixelAt(window, space, point, element) ?? pixels),
  )
  const zeros = filled(image.graph, [batch, 1, channels])
  const padded = seen.includes(pixels) ? concat([rows, zeros], 1) : rows
  return reshape(gather(padded, seen, 1), [
    batch * elementCount(points),
    elementCount(window.kernel) * channels,
  ])
}

/** The pixel that an element of a kernel sees at a point; none in the padding. */
function pixelAt(
  { strides, dilations, begin }: Window,
  space: readonly number[],
  point: readonly number[],
  element: readonly number[],
): number | undefined {
  let pixel = 0
  for (const [axis, size] of space.entries()) {
    const [p = 0, k = 0] = [point[axis], element[axis]]
    const at = p * (strides[axis] ?? 1) + k * (dilations[axis] ?? 1) - (begin[axis] ?? 0)
    if (at < 0 || at >= size) return undefined
    pixel = pixel * size + at
  }
  return pixel
}
