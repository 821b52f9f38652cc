import type { Operation } from '../../graph/operation.ts'
import { div } from '../../graph/operations.ts'
import { sizeOf, sizes, type Value } from '../../graph/value.ts'
import { convolveTransposed } from '../../lowering/image-gradient.ts'
import { count } from '../../model/model.ts'
import { places } from '../../shapes/places.ts'
import { poolingWindow } from '../../shapes/pooling.ts'
import { space, type Window } from '../../shapes/window.ts'
import type { Rule } from '../rule.ts'

/** y[p] = the mean of x in the window of p;  every ∂y[p] is spread evenly over that window */
export const AveragePool: Rule = (operation, dy) => {
  const x = operation.input(0)
  const window = poolingWindow(operation)
  const groups = sizeOf(x, 1)
  const shape = [groups, 1, ...window.kernel]
  const ones = dy.graph.constant({
    type: 'float32',
    shape,
    data: new Float32Array(count(shape)).fill(1),
  })
  const gradient = div(dy, elementsInWindow(operation, window, sizes(dy).slice(2)))
  return [convolveTransposed({ gradient, weight: ones, window, groups, space: space(x) })]
}

/** How many elements each mean is taken over; padding counts where the operation says so. */
function elementsInWindow(operation: Operation, window: Window, points: readonly number[]): Value {
  const padded = operation.int('count_include_pad', 0) !== 0
  const along = space(operation.input(0)).map((size, axis) => {
    const [begin, end] = [window.begin[axis] ?? 0, window.end[axis] ?? 0]
    const [low, high] = padded ? [-begin, size + end] : [0, size]
    return Array.from({ length: points[axis] ?? 1 }, (_, p) => {
      const first = p * (window.strides[axis] ?? 1) - begin
      const places = Array.from(
        { length: window.kernel[axis] ?? 1 },
        (_, k) => first + k * (window.dilations[axis] ?? 1),
      )
      return places.filter((place) => place >= low && place < high).length
    })
  })
  const counts = places(points).map((place) =>
    place.reduce((n, p, axis) => n * (along[axis]?.[p] ?? 1), 1),
  )
  return operation.graph.constant({
    type: 'float32',
    shape: points,
    data: Float32Array.from(counts),
  })
}
