import { Operation } from '../ir/operation.ts'
import { isOperator } from '../model/node.ts'
import type { Placement } from '../ops/from-model.ts'
import { apply, lessOrEqual, slice, where } from '../ops/operations.ts'
import { places } from '../shapes/places.ts'
import { pooledSizes, poolingWindow } from '../shapes/pooling.ts'
import { seenBy, space, spans } from '../shapes/window.ts'

/**
 * MaxPool as comparisons of shifted images, for runtimes that do not tell where a maximum was found.
 * Of equals the first is taken, as MaxPool does.
 */
export const plainMaxPool: Placement = (graph, node, inputs) => {
  const [image] = inputs
  if (!isOperator(node, 'MaxPool') || graph.lowering.operators !== 'plain' || !image) return
  const operation = new Operation(graph, { ...node, inputs })
  if (node.outputs.length > 1) return
  const window = poolingWindow(operation)
  const points = pooledSizes(operation, window)
  // Rounding up lets the last kernel hang over the end, where it must find something.
  const end = spans(window).map((span, axis) => {
    const reached = ((points[axis] ?? 1) - 1) * (window.strides[axis] ?? 1) + span
    const there = (space(image)[axis] ?? 1) + (window.begin[axis] ?? 0)
    return Math.max(reached - there, window.end[axis] ?? 0)
  })
  const pads = graph.integers([0, 0, ...window.begin, 0, 0, ...end])
  const padded = apply('Pad', [image, pads, graph.scalar(Number.NEGATIVE_INFINITY)])
  const shifted = places(window.kernel).map((element) =>
    slice(padded, seenBy(window, element, points)),
  )
  return [shifted.reduce((best, other) => where(lessOrEqual(other, best), best, other))]
}
