import type { Operation } from '../../ir/graph.ts'
import type { Dimension } from '../../model/model.ts'
import { unpooledSizes } from './convolution.ts'
import { integerElements, type ShapeRule, sameShape, shapeInput } from './shape-rule.ts'

const gather: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  const axis = operation.axis(operation.int('axis', 0), shape.length)
  const [indices, size] = [operation.input(1), shape[axis]]
  if (indices.constant && typeof size === 'number') {
    const outside = integerElements(operation, 1).find((i) => i < -size || i >= size)
    if (outside !== undefined)
      throw operation.error(`indices must be in [${-size}, ${size}), but one is ${outside}`)
  }
  return [{ type, shape: shape.toSpliced(axis, 1, ...indices.shape) }]
}

const gatherElements: ShapeRule = (operation) => {
  const [x, indices] = [operation.input(0), operation.input(1)]
  operation.axis(operation.int('axis', 0), x.shape.length)
  checkRank(operation, x.shape, indices.shape)
  return [{ type: x.type, shape: indices.shape }]
}

function checkRank(operation: Operation, a: readonly Dimension[], b: readonly Dimension[]): void {
  if (a.length !== b.length)
    throw operation.error(`[${a}] and the indices [${b}] must have equally many axes`)
}

/** How many axes every row of a GatherND's or ScatterND's indices selects from. */
function indexedAxes(operation: Operation, batchAxes: number): number {
  const [x, indices] = [operation.input(0), operation.input(1)]
  const depth = indices.shape.at(-1)
  const most = x.shape.length - batchAxes
  if (!(batchAxes >= 0 && batchAxes < Math.min(x.shape.length, indices.shape.length)))
    throw operation.error(`batch_dims must be an axis of both inputs, but is ${batchAxes}`)
  if (typeof depth !== 'number' || depth < 1 || depth > most)
    throw operation.error(`the last axis of the indices must be in [1, ${most}], but is ${depth}`)
  return batchAxes + depth
}

const gatherND: ShapeRule = (operation) => {
  const [x, indices] = [operation.input(0), operation.input(1)]
  const rest = x.shape.slice(indexedAxes(operation, operation.int('batch_dims', 0)))
  return [{ type: x.type, shape: [...indices.shape.slice(0, -1), ...rest] }]
}

const scatterElements: ShapeRule = (operation) => {
  operation.axis(operation.int('axis', 0), operation.input(0).shape.length)
  checkRank(operation, operation.input(0).shape, operation.input(1).shape)
  checkRank(operation, operation.input(2).shape, operation.input(1).shape)
  return sameShape(operation)
}

const scatterND: ShapeRule = (operation) => {
  const [x, indices, updates] = [operation.input(0), operation.input(1), operation.input(2)]
  const expected = [...indices.shape.slice(0, -1), ...x.shape.slice(indexedAxes(operation, 0))]
  if (`${updates.shape}` !== `${expected}`)
    throw operation.error(`updates must have the shape [${expected}], but have [${updates.shape}]`)
  return sameShape(operation)
}

/** The last axis of the grid has a coordinate for every spatial axis of the image. */
const gridSample: ShapeRule = (operation) => {
  const [x, grid] = [operation.input(0), operation.input(1)]
  const axes = x.shape.length - 2
  if (axes < 1 || grid.shape.length !== x.shape.length || grid.shape.at(-1) !== axes)
    throw operation.error(
      `the grid must have ${axes} coordinates for [${x.shape}], but has the shape [${grid.shape}]`,
    )
  const [batch, other] = [x.shape[0] ?? 1, grid.shape[0] ?? 1]
  if (typeof batch === 'number' && typeof other === 'number' && batch !== other)
    throw operation.error(`image and grid must have equal batches, but have ${batch} and ${other}`)
  return [{ type: x.type, shape: [...x.shape.slice(0, 2), ...grid.shape.slice(1, -1)] }]
}

/** The points of an image of some size, moved by one matrix per image: batch × spatial axes × coordinates. */
const affineGrid: ShapeRule = (operation) => {
  const theta = operation.input(0)
  const [batch = 1, , ...space] = shapeInput(operation, 1)
  if (`${theta.shape}` !== `${[batch, space.length, space.length + 1]}`)
    throw operation.error(
      `theta must be ${batch} matrices of ${space.length} × ${space.length + 1}, but is [${theta.shape}]`,
    )
  return [{ type: theta.type, shape: [batch, ...space, space.length] }]
}

/** The values at the indices that a MaxPool gave, in the image that it pooled. */
const maxUnpool: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  const [wanted] = operation.inputs[2] ? [integerElements(operation, 2)] : []
  return [{ type, shape: wanted ?? [...shape.slice(0, 2), ...unpooledSizes(operation)] }]
}

/** The extremes of an axis, and their indices. */
const topK: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  const axis = operation.axis(operation.int('axis', -1), shape.length)
  const [k = 1] = integerElements(operation, 1)
  const size = shape[axis]
  if (k < 0 || (typeof size === 'number' && k > size))
    throw operation.error(`k must be in [0, ${size}], but is ${k}`)
  const selected = shape.with(axis, k)
  return [
    { type, shape: selected },
    { type: 'int64', shape: selected },
  ]
}

const cumSum: ShapeRule = (operation) => {
  const [axis = 0] = integerElements(operation, 1)
  operation.axis(axis, operation.input(0).shape.length)
  return sameShape(operation)
}

const trilu: ShapeRule = (operation) => {
  if (operation.input(0).shape.length < 2)
    throw operation.error(`must have matrices, but has [${operation.input(0).shape}]`)
  return sameShape(operation)
}

const oneHot: ShapeRule = (operation) => {
  const { shape } = operation.input(0)
  const axis = operation.axis(operation.int('axis', -1), shape.length + 1)
  const [depth = 0] = integerElements(operation, 1)
  return [{ type: operation.input(2).type, shape: shape.toSpliced(axis, 0, depth) }]
}

/** Shapes of operators that select, replace or accumulate elements by their index. */
export const selectionShapes: Readonly<Record<string, ShapeRule>> = {
  AffineGrid: affineGrid,
  CumSum: cumSum,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherND,
  GridSample: gridSample,
  MaxUnpool: maxUnpool,
  OneHot: oneHot,
  ReverseSequence: sameShape,
  ScatterElements: scatterElements,
  ScatterND: scatterND,
  TopK: topK,
  Trilu: trilu,
}
