import { settled } from '../ir/value.ts'
import { elementCount, type Tensor } from '../model/model.ts'
import { permutation } from '../shapes/layout.ts'
import { slicedRanges } from '../shapes/parts.ts'
import { places } from '../shapes/places.ts'
import { repeatedElement } from '../shapes/source.ts'
import { at, type Folding } from './folding.ts'

const sameElements: Folding = ([x]) => (x ? Array.from<number | bigint>(x.data) : [])

const expand: Folding = ([x], shape) => (x ? places(shape).map((place) => at(x, place)) : [])

const gather: Folding = ([x, indices], shape, operation) => {
  if (!x || !indices) return []
  const axis = operation.axis(operation.int('axis', 0), x.shape.length)
  const rank = indices.shape.length
  return places(shape).map((place) => {
    const index = Number(at(indices, place.slice(axis, axis + rank)))
    const inside = index < 0 ? index + (x.shape[axis] ?? 0) : index
    return at(x, place.toSpliced(axis, rank, inside))
  })
}

/** Each place of the output lies in one of the inputs, whose axes in front are skipped. */
const concat: Folding = (inputs, shape, operation) => {
  const axis = operation.axis(operation.int('axis', 0), shape.length)
  return places(shape).map((place) => {
    let index = place[axis] ?? 0
    const holder = inputs.find((input: Tensor) => {
      const length = input.shape[axis] ?? 0
      if (index < length) return true
      index -= length
      return false
    })
    return holder ? at(holder, place.with(axis, index)) : 0
  })
}

const slice: Folding = ([x], shape, operation) => {
  if (!x) return []
  const ranges = new Map(slicedRanges(operation).map((range) => [range.axis, range]))
  return places(shape).map((place) =>
    at(
      x,
      place.map((i, axis) => {
        const range = ranges.get(axis)
        return range ? range.start + i * range.step : i
      }),
    ),
  )
}

const transpose: Folding = ([x], shape, operation) => {
  const order = permutation(operation)
  return x
    ? places(shape).map((place) =>
        at(
          x,
          order.map((_, i) => place[order.indexOf(i)] ?? 0),
        ),
      )
    : []
}

const repeat: Folding = (_, shape, operation) =>
  new Array<number | bigint>(elementCount(shape)).fill(repeatedElement(operation).data[0] ?? 0)

const range: Folding = (_, [length = 0], operation) => {
  const [start = 0] = settled(operation.input(0))
  const [step = 1] = settled(operation.input(2))
  return Array.from({ length }, (_, i) => start + i * step)
}

/** Picking and laying out elements, as exporters write it to compute shapes. */
export const selection: Readonly<Record<string, Folding>> = {
  Concat: concat,
  ConstantOfShape: repeat,
  Expand: expand,
  Gather: gather,
  Identity: sameElements,
  Range: range,
  Reshape: sameElements,
  Slice: slice,
  Squeeze: sameElements,
  Transpose: transpose,
  Unsqueeze: sameElements,
}
