import { Operation } from '../ir/operation.ts'
import type { Placement } from '../ops/from-model.ts'
import { gather } from '../ops/operations.ts'
import { slicedRanges } from '../shapes/parts.ts'

/** A Slice that goes backwards as a choice of places, for runtimes that only go forwards. */
export const plainSlice: Placement = (graph, node, inputs) => {
  const [x] = inputs
  if (node.operator !== 'Slice' || node.domain !== '' || !x) return
  if (graph.lowering.operators !== 'plain') return
  const ranges = slicedRanges(new Operation(graph, { ...node, inputs }))
  if (ranges.every(({ step }) => step > 0)) return
  return [
    ranges.reduce((value, { axis, start, step, length }) => {
      const places = Array.from({ length }, (_, i) => start + i * step)
      return gather(value, places, axis)
    }, x),
  ]
}
