import type { Operation } from '../ir/operation.ts'
import { sizes, type Value } from '../ir/value.ts'

/** How a kernel slides over the axes of an image. Every list has one entry an axis. */
export interface Window {
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly begin: readonly number[]
  readonly end: readonly number[]
}

/** The lengths of an image's axes, batch and channels left out. */
export const space = (image: Pick<Value, 'name' | 'shape'>): readonly number[] =>
  sizes({ name: image.name, shape: image.shape.slice(2) })

/** Reads how an operation slides its kernel; `auto_pad` is worked out into pads. */
export function windowOf(operation: Operation, kernel: readonly number[]): Window {
  const image = space(operation.input(0))
  const ones = image.map(() => 1)
  const strides = operation.ints('strides') ?? ones
  const dilations = operation.ints('dilations') ?? ones
  const pads = operation.ints('pads') ?? image.flatMap(() => [0, 0])
  const automatic = operation.string('auto_pad', 'NOTSET')
  for (const [name, list, length] of [
    ['kernel', kernel, image.length],
    ['strides', strides, image.length],
    ['dilations', dilations, image.length],
    ['pads', pads, 2 * image.length],
  ] as const)
    if (list.length !== length)
      throw operation.error(`${name} must have ${length} entries, but has ${list.length}`)
  const span = (axis: number): number => ((kernel[axis] ?? 1) - 1) * (dilations[axis] ?? 1) + 1
  const total = (axis: number): number => {
    const [size, stride] = [image[axis] ?? 1, strides[axis] ?? 1]
    return Math.max((Math.ceil(size / stride) - 1) * stride + span(axis) - size, 0)
  }
  const smaller = image.map((_, axis) => Math.floor(total(axis) / 2))
  const larger = image.map((_, axis) => Math.ceil(total(axis) / 2))
  switch (automatic) {
    case 'NOTSET':
      return {
        kernel,
        strides,
        dilations,
        begin: pads.slice(0, image.length),
        end: pads.slice(image.length),
      }
    case 'VALID':
      return { kernel, strides, dilations, begin: image.map(() => 0), end: image.map(() => 0) }
    case 'SAME_UPPER':
      return { kernel, strides, dilations, begin: smaller, end: larger }
    case 'SAME_LOWER':
      return { kernel, strides, dilations, begin: larger, end: smaller }
    default:
      throw operation.error(`auto_pad "${automatic}" is not supported`)
  }
}

/** How far the kernel's first and last elements lie apart, plus one: d·(k−1) + 1. */
export const spans = ({ kernel, dilations }: Window): readonly number[] =>
  kernel.map((size, axis) => (dilations[axis] ?? 1) * (size - 1) + 1)

/** The lengths after sliding: ⌊(size + begin + end − span) / stride⌋ + 1, or ⌈…⌉ + 1. */
export function slide(
  operation: Operation,
  window: Window,
  round: 'down' | 'up' = 'down',
): readonly number[] {
  const span = spans(window)
  return space(operation.input(0)).map((size, axis) => {
    const stride = window.strides[axis] ?? 1
    const begin = window.begin[axis] ?? 0
    const room = size + begin + (window.end[axis] ?? 0) - (span[axis] ?? 1)
    if (room < 0)
      throw operation.error(`a kernel of ${span[axis]} must fit into ${size} and its padding`)
    if (round === 'down') return Math.floor(room / stride) + 1
    const length = Math.ceil(room / stride) + 1
    // No kernel may begin in the padding at the end.
    return (length - 1) * stride >= size + begin ? length - 1 : length
  })
}

/** What one element of a kernel sees of a padded image while the kernel visits all points. */
export const seenBy = (
  { strides, dilations }: Window,
  element: readonly number[],
  points: readonly number[],
): readonly { axis: number; start: number; end: number; step: number }[] =>
  element.map((k, axis) => {
    const [step, start] = [strides[axis] ?? 1, k * (dilations[axis] ?? 1)]
    return { axis: axis + 2, start, end: start + ((points[axis] ?? 1) - 1) * step + 1, step }
  })
