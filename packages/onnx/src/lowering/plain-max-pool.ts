import type { Placement } from '../graph/from-model.ts'
import { Operation } from '../graph/operation.ts'
import { apply, lessOrEqual, slice, where } from '../graph/operations.ts'
import { places } from '../shapes/places.ts'
import { poolingWindow } from '../shapes/pooling.ts'
import { seenBy, slide } from '../shapes/window.ts'

/**
 * MaxPool as comparisons of shifted images, for runtimes that do not tell where a maximum was found.
 * Of equals the first is taken, as MaxPool does.
 */
export const plainMaxPool: Placement = (graph, node, inputs) => {
  const [image] = inputs
  if (node.operator !== 'MaxPool' || graph.lowering.operators !== 'plain' || !image) return
  const operation = new Operation(graph, { ...node, inputs })
  if (node.outputs.length > 1 || operation.int('ceil_mode', 0) !== 0) return
  const window = poolingWindow(operation)
  const pads = graph.integers([0, 0, ...window.begin, 0, 0, ...window.end])
  const padded = apply('Pad', [image, pads, graph.scalar(Number.NEGATIVE_INFINITY)])
  const points = slide(operation, window)
  const shifted = places(window.kernel).map((element) =>
    slice(padded, seenBy(window, element, points)),
  )
  return [shifted.reduce((best, other) => where(lessOrEqual(other, best), best, other))]
}
