import type { backend_util } from '@tensorflow/tfjs-core'
import type { Application } from './operator.ts'

/** How a window slides over an image. */
export interface Sliding {
  readonly size: [number, number]
  readonly strides: [number, number]
  readonly dilations: [number, number]
  readonly pad: backend_util.ExplicitPadding
}

const pair = ([height, width]: readonly number[]): [number, number] => [height, width]

/** What a convolution or a pooling says of its window, over an image of this height and width. */
export function slidingOf(
  application: Application,
  size: readonly number[],
  image: readonly number[],
): Sliding {
  const autoPad = application.string('auto_pad', 'NOTSET')
  application.require('auto_pad', 'NOTSET', autoPad)
  const strides = pair(application.integers('strides', [1, 1]))
  const dilations = pair(application.integers('dilations', [1, 1]))
  const [top, left, bottom, right] = application.integers('pads', [0, 0, 0, 0])
  const roundUp = application.integer('ceil_mode', 0) === 1
  /** What one more window hangs over the edge, if it begins before that. */
  const over = (axis: number, begin: number, end: number): number => {
    const reach = (size[axis] - 1) * dilations[axis] + 1
    const room = image[axis] + begin + end - reach
    const next = (Math.floor(room / strides[axis]) + 1) * strides[axis]
    const fits = room % strides[axis] === 0 || next >= image[axis] + begin
    return roundUp && !fits ? next - room : 0
  }
  const vertical: [number, number] = [top, bottom + over(0, top, bottom)]
  const horizontal: [number, number] = [left, right + over(1, left, right)]
  return { size: pair(size), strides, dilations, pad: [[0, 0], vertical, horizontal, [0, 0]] }
}
