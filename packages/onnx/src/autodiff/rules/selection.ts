import type { Operation, Value } from '../../ir/graph.ts'
import { staticShape } from '../../ir/value.ts'
import { elementCount, multiIndices } from '../../model/model.ts'
import { apply } from '../../ops/apply.ts'
import {
  add,
  concat,
  div,
  equal,
  filled,
  matMul,
  max,
  mul,
  pad,
  reduceSum,
  reshape,
  sub,
  transpose,
  where,
} from '../../ops/builders.ts'
import { equalMask, type GradientRule, scatterRows, unary } from './gradient-rule.ts'

/** y = the points of an image times A, one matrix per image;  ∂A = Σ ∂y·point */
export const AffineGrid: GradientRule = (operation, dy) => {
  const [batch = 1, ...sizes] = staticShape(dy)
  const space = sizes.slice(0, -1)
  const coordinates = space.length
  operation.constantLength([...space, coordinates + 1])
  const data = multiIndices(space).flatMap((index) => [
    ...index.map((i, axis) => pointCoordinate(operation, i, space[axis] ?? 1)).toReversed(),
    1,
  ])
  const shape = [elementCount(space), coordinates + 1]
  const points = dy.graph.constant({ type: 'float32', shape, data: Float32Array.from(data) })
  const rows = reshape(dy, [batch, elementCount(space), coordinates])
  return [matMul(transpose(rows, [0, 2, 1]), points)]
}

/** The coordinate of a pixel, in [−1, 1] from edge to edge, or from centre to centre of the outer pixels. */
const pointCoordinate = (operation: Operation, index: number, size: number): number =>
  operation.int('align_corners', 0) === 0
    ? (2 * index + 1) / size - 1
    : size > 1
      ? (2 * index) / (size - 1) - 1
      : 0

/** y = the sum of x up to each index, or from it on;  ∂x = the sum of ∂y in the other direction */
export const CumSum: GradientRule = unary((_x, dy, _y, operation) =>
  apply('CumSum', [dy, operation.input(1)], {
    exclusive: operation.int('exclusive', 0),
    reverse: 1 - operation.int('reverse', 0),
  }),
)

/** y = x at the indices;  ∂x = the sum of every ∂y at its index, 0 elsewhere */
export const Gather: GradientRule = (operation, dy) => {
  const [x, indices] = [operation.input(0), operation.input(1)]
  const shape = staticShape(x)
  const axis = operation.axis(operation.int('axis', 0), shape.length)
  const single = indices.constant?.data.length === 1 ? Number(indices.constant.data[0]) : undefined
  return [
    single === undefined ? scatterRows(dy, indices, shape, axis) : padAt(dy, single, shape, axis),
  ]
}

/** The gradient of a single index: zeros before and after it. */
function padAt(dy: Value, index: number, shape: readonly number[], axis: number): Value {
  const size = shape[axis] ?? 1
  const position = index < 0 ? index + size : index
  const zeros = shape.map(() => 0)
  return pad(
    reshape(dy, shape.with(axis, 1)),
    zeros.with(axis, position),
    zeros.with(axis, size - position - 1),
  )
}

/** y = x at an index of one axis for every element;  ∂x = the sum of every ∂y at its index, 0 elsewhere */
export const GatherElements: GradientRule = unary((x, dy, _y, operation) =>
  scatterElements(operation, filled(dy.graph, staticShape(x)), dy, 'add'),
)

/** y = x at the multi-indices;  ∂x = the sum of every ∂y at its multi-index, 0 elsewhere */
export const GatherND: GradientRule = unary((x, dy, _y, operation) =>
  apply('ScatterND', [filled(dy.graph, staticShape(x)), multiIndexRows(operation), dy], {
    reduction: 'add',
  }),
)

/** The indices of a GatherND from the first axis on: those of its batch axes are put before them. */
function multiIndexRows(operation: Operation): Value {
  const indices = operation.input(1)
  const batchAxes = operation.int('batch_dims', 0)
  if (batchAxes === 0) return indices
  const shape = [...staticShape(indices).slice(0, -1), batchAxes]
  operation.constantLength(shape)
  const rows = multiIndices(shape.slice(0, -1)).flatMap((index) => index.slice(0, batchAxes))
  const before = indices.graph.constant({
    type: 'int64',
    shape,
    data: BigInt64Array.from(rows, BigInt),
  })
  return concat([before, indices], shape.length - 1)
}

/** y = x at the flat indices, 0 elsewhere;  ∂x = ∂y at the indices */
export const MaxUnpool: GradientRule = unary((_x, dy, _y, operation) => {
  // ONNX Runtime takes the indices as those of the smaller image without the shape input.
  if (operation.inputs[2]) throw operation.error('must have no output shape to be differentiated')
  const flat = reshape(dy, [elementCount(staticShape(dy))])
  return apply('Gather', [flat, operation.input(1)])
})

/** y = v₁ at the indices of an axis, v₀ elsewhere;  ∂v₁ = Σ∂y at the indices, ∂v₀ = Σ∂y elsewhere */
export const OneHot: GradientRule = (operation, dy) => {
  const { graph } = dy
  const offOn = graph.constant({ type: 'float32', shape: [2], data: Float32Array.of(0, 1) })
  const mask = apply('OneHot', [operation.input(0), operation.input(1), offOn], {
    axis: operation.int('axis', -1),
  })
  const sum = (v: Value): Value =>
    reshape(
      reduceSum(
        v,
        v.shape.map((_, axis) => axis),
      ),
      [1],
    )
  return [undefined, undefined, concat([sum(mul(dy, sub(1, mask))), sum(mul(dy, mask))], 0)]
}

/** y = x with the first elements of every sequence in reverse;  ∂x = ∂y with the same in reverse */
export const ReverseSequence: GradientRule = unary((_x, dy, _y, operation) =>
  apply('ReverseSequence', [dy, operation.input(1)], {
    batch_axis: operation.int('batch_axis', 1),
    time_axis: operation.int('time_axis', 0),
  }),
)

/** Reads a scatter's updates back from a value, and writes them into one. */
interface Scatter {
  read(operation: Operation, value: Value): Value
  write(operation: Operation, value: Value, updates: Value, reduction: string): Value
}

const scatterElements = (
  operation: Operation,
  value: Value,
  updates: Value,
  reduction: string,
): Value =>
  apply('ScatterElements', [value, operation.input(1), updates], {
    axis: operation.int('axis', 0),
    reduction,
  })

const elementScatter: Scatter = {
  read: (operation, value) =>
    apply('GatherElements', [value, operation.input(1)], { axis: operation.int('axis', 0) }),
  write: scatterElements,
}

const rowScatter: Scatter = {
  read: (operation, value) => apply('GatherND', [value, operation.input(1)]),
  write: (operation, value, updates, reduction) =>
    apply('ScatterND', [value, operation.input(1), updates], { reduction }),
}

/**
 * y = x with u at the indices: in its place, added, multiplied, or the extremum of both;  ∂x = ∂y but where
 * it was replaced, ∂u = ∂y at the indices; of a product each times the others; of an extremum where they
 * equal y, in equal shares among equals
 */
const scatterRule =
  ({ read, write }: Scatter): GradientRule =>
  (operation, dy) => {
    const [x, updates] = [operation.input(0), operation.input(2)]
    const reduction = operation.string('reduction', 'none')
    if (reduction === 'add') return [dy, undefined, read(operation, dy)]
    if (reduction === 'none') {
      const zeros = filled(dy.graph, staticShape(updates))
      return [write(operation, dy, zeros, 'none'), undefined, read(operation, dy)]
    }
    if (reduction === 'mul') {
      const ones = filled(dy.graph, staticShape(x), 1)
      const zero = equalMask(updates, updates.graph.scalar(0))
      const nonZero = add(updates, zero)
      const zeros = write(operation, filled(dy.graph, staticShape(x)), zero, 'add')
      const products = write(operation, ones, nonZero, 'mul')
      const others = div(read(operation, mul(mul(dy, x), products)), nonZero)
      const otherZeros = sub(read(operation, zeros), zero)
      return [
        mul(dy, write(operation, ones, updates, 'mul')),
        undefined,
        where(equal(otherZeros, 0), others, 0),
      ]
    }
    if (reduction !== 'max' && reduction !== 'min')
      throw operation.error(
        `reduction must be "none", "add", "mul", "max" or "min", but is "${reduction}"`,
      )
    const y = operation.output()
    const [kept, taken] = [equalMask(x, y), equalMask(updates, read(operation, y))]
    const share = div(dy, max(write(operation, kept, taken, 'add'), 1))
    return [mul(share, kept), undefined, mul(read(operation, share), taken)]
  }

/** y = x with updates at an index of one axis for every element; see `scatterRule` */
export const ScatterElements: GradientRule = scatterRule(elementScatter)

/** y = x with updates at multi-indices; see `scatterRule` */
export const ScatterND: GradientRule = scatterRule(rowScatter)

/** y = the k extremes of an axis;  ∂x = ∂y at their indices, 0 elsewhere */
export const TopK: GradientRule = unary((x, dy, _y, operation) =>
  apply('ScatterElements', [filled(dy.graph, staticShape(x)), operation.output(1), dy], {
    axis: operation.int('axis', -1),
  }),
)

/** y = the triangle of every matrix;  ∂x = that triangle of ∂y */
export const Trilu: GradientRule = unary((_x, dy, _y, operation) =>
  apply('Trilu', [dy, operation.inputs[1]], { upper: operation.int('upper', 1) }),
)
