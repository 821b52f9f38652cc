import type { Operation } from '../ir/graph.ts'
import { constantElements } from '../ir/value.ts'
import { elementCount, multiIndices, type Tensor } from '../model/model.ts'
import { fillValue } from './shapes/constant.ts'
import { reducedAxes } from './shapes/reduction.ts'
import { axisSlices, permutation, splitLengths } from './shapes/shape.ts'

/**
 * Computes the elements of an output of the given shape from constant inputs; `undefined` if it cannot.
 *
 * @param output - the index of the output.
 */
export type FoldingRule = (
  inputs: readonly Tensor[],
  shape: readonly number[],
  operation: Operation,
  output: number,
) => readonly (number | bigint)[] | undefined

/** The element at a multi-index. Axes of length 1 and missing leading axes are broadcast. */
function elementAt({ shape, data }: Tensor, index: readonly number[]): number | bigint {
  const skipped = index.length - shape.length
  const offset = shape.reduce(
    (sum, size, axis) => sum * size + (size === 1 ? 0 : (index[axis + skipped] ?? 0)),
    0,
  )
  return data[offset] ?? 0
}

const elementwise =
  (compute: (...operands: number[]) => number): FoldingRule =>
  (inputs, shape) =>
    multiIndices(shape).map((index) =>
      compute(...inputs.map((input) => Number(elementAt(input, index)))),
    )

/** Integer division truncates. */
const div: FoldingRule = (inputs, shape, operation) => {
  const integer = operation.input(0).type !== 'float32'
  return elementwise((a, b) => (integer ? (b === 0 ? 0 : Math.trunc(a / b)) : a / b))(
    inputs,
    shape,
    operation,
    0,
  )
}

/** The remainder has the sign of the divisor, or with `fmod` of the dividend. Of integers by 0 there is none. */
const mod: FoldingRule = (inputs, shape, operation) => {
  const floor = operation.int('fmod', 0) === 0
  return elementwise((a, b) => (floor ? a - Math.floor(a / b) * b : a % b))(
    inputs,
    shape,
    operation,
    0,
  )
}

const where: FoldingRule = ([condition, a, b], shape) =>
  multiIndices(shape).map((index) => {
    const branch = condition && Number(elementAt(condition, index)) ? a : b
    return branch ? elementAt(branch, index) : 0
  })

const cast: FoldingRule = (inputs, shape, operation) => {
  const fromFloat = operation.input(0).type === 'float32'
  const to = operation.int('to', 1)
  const [float, bool] = [1, 9]
  return elementwise((a) =>
    to === bool ? Number(a !== 0) : fromFloat && to !== float ? Math.trunc(a) : a,
  )(inputs, shape, operation, 0)
}

const elementwiseRules: Readonly<Record<string, FoldingRule>> = {
  Abs: elementwise(Math.abs),
  Add: elementwise((a, b) => a + b),
  And: elementwise((a, b) => Number(a && b)),
  Cast: cast,
  Ceil: elementwise(Math.ceil),
  Div: div,
  Equal: elementwise((a, b) => Number(a === b)),
  Exp: elementwise(Math.exp),
  Floor: elementwise(Math.floor),
  Greater: elementwise((a, b) => Number(a > b)),
  GreaterOrEqual: elementwise((a, b) => Number(a >= b)),
  Less: elementwise((a, b) => Number(a < b)),
  LessOrEqual: elementwise((a, b) => Number(a <= b)),
  Log: elementwise(Math.log),
  Max: elementwise(Math.max),
  Min: elementwise(Math.min),
  Mod: mod,
  Mul: elementwise((a, b) => a * b),
  Neg: elementwise((a) => -a),
  Not: elementwise((a) => Number(!a)),
  Or: elementwise((a, b) => Number(a || b)),
  Pow: elementwise((a, b) => a ** b),
  Reciprocal: elementwise((a) => 1 / a),
  Sign: elementwise(Math.sign),
  Sqrt: elementwise(Math.sqrt),
  Sub: elementwise((a, b) => a - b),
  Sum: elementwise((...all) => all.reduce((a, b) => a + b, 0)),
  Where: where,
  Xor: elementwise((a, b) => Number(Boolean(a) !== Boolean(b))),
}

const sameElements: FoldingRule = ([x]) => (x ? Array.from<number | bigint>(x.data) : [])

const expand: FoldingRule = ([x], shape) =>
  x ? multiIndices(shape).map((index) => elementAt(x, index)) : []

const gather: FoldingRule = ([x, indices], shape, operation) => {
  if (!x || !indices) return []
  const axis = operation.axis(operation.int('axis', 0), x.shape.length)
  const rank = indices.shape.length
  return multiIndices(shape).map((index) => {
    const gathered = Number(elementAt(indices, index.slice(axis, axis + rank)))
    const size = x.shape[axis] ?? 0
    const normalized = gathered < 0 ? gathered + size : gathered
    return elementAt(x, index.toSpliced(axis, rank, normalized))
  })
}

/** Finds the input that holds each index by subtracting the lengths of the inputs before it. */
const concat: FoldingRule = (inputs, shape, operation) => {
  const axis = operation.axis(operation.int('axis', 0), shape.length)
  return multiIndices(shape).map((index) => {
    let position = index[axis] ?? 0
    const input = inputs.find((input: Tensor) => {
      const length = input.shape[axis] ?? 0
      if (position < length) return true
      position -= length
      return false
    })
    return input ? elementAt(input, index.with(axis, position)) : 0
  })
}

const slice: FoldingRule = ([x], shape, operation) => {
  if (!x) return []
  const slices = new Map(axisSlices(operation).map((slice) => [slice.axis, slice]))
  return multiIndices(shape).map((index) =>
    elementAt(
      x,
      index.map((i, axis) => {
        const slice = slices.get(axis)
        return slice ? slice.start + i * slice.step : i
      }),
    ),
  )
}

const transpose: FoldingRule = ([x], shape, operation) => {
  const perm = permutation(operation)
  return x
    ? multiIndices(shape).map((index) =>
        elementAt(
          x,
          perm.map((_, i) => index[perm.indexOf(i)] ?? 0),
        ),
      )
    : []
}

const constantOfShape: FoldingRule = (_, shape, operation) =>
  new Array<number | bigint>(elementCount(shape)).fill(fillValue(operation).data[0] ?? 0)

const range: FoldingRule = (_, [length = 0], operation) => {
  const [start = 0] = constantElements(operation.input(0))
  const [step = 1] = constantElements(operation.input(2))
  return Array.from({ length }, (_, i) => start + i * step)
}

const split: FoldingRule = ([x], shape, operation, output) => {
  if (!x) return undefined
  const axis = operation.axis(operation.int('axis', 0), shape.length)
  const start = splitLengths(operation)
    .slice(0, output)
    .reduce((a, b) => a + b, 0)
  return multiIndices(shape).map((index) =>
    elementAt(x, index.with(axis, start + (index[axis] ?? 0))),
  )
}

const tile: FoldingRule = ([x], shape) =>
  x &&
  multiIndices(shape).map((index) =>
    elementAt(
      x,
      index.map((i, axis) => i % (x.shape[axis] ?? 1)),
    ),
  )

/** One column of indices for every element that is not 0. */
const nonZero: FoldingRule = ([x]) => {
  if (!x) return undefined
  const found = multiIndices(x.shape).filter((_, i) => Number(x.data[i]) !== 0)
  return x.shape.flatMap((_, axis) => found.map((index) => index[axis] ?? 0))
}

/** How a ScatterND combines an element with its update. */
const scatterReductions: ReadonlyMap<string, (element: number, update: number) => number> = new Map(
  Object.entries({
    none: (_: number, update: number) => update,
    add: (a: number, b: number) => a + b,
    mul: (a: number, b: number) => a * b,
    max: (a: number, b: number) => Math.max(a, b),
    min: (a: number, b: number) => Math.min(a, b),
  }),
)

const scatterND: FoldingRule = ([x, indices, updates], _, operation) => {
  const combine = scatterReductions.get(operation.string('reduction', 'none'))
  if (!x || !indices || !updates || !combine) return undefined
  const result = Array.from<number | bigint, number>(x.data, Number)
  const rows = indices.shape.length - 1
  const depth = indices.shape[rows] ?? 0
  for (const [i, index] of multiIndices(updates.shape).entries()) {
    const row = index.slice(0, rows)
    const named = Array.from({ length: depth }, (_, k) => Number(elementAt(indices, [...row, k])))
    const target = [...named, ...index.slice(rows)]
    let offset = 0
    for (const [axis, size] of x.shape.entries()) {
      const at = target[axis] ?? 0
      const normalized = at < 0 ? at + size : at
      if (!(normalized >= 0 && normalized < size)) return undefined
      offset = offset * size + normalized
    }
    result[offset] = combine(result[offset] ?? 0, Number(updates.data[i]))
  }
  return result
}

/** Reduces the elements that share an index of the output. */
const reduce =
  (compute: (elements: readonly number[]) => number): FoldingRule =>
  ([x], shape, operation) => {
    if (!x) return undefined
    const axes = new Set(reducedAxes(operation))
    const groups = Array.from({ length: elementCount(shape) }, (): number[] => [])
    for (const [i, index] of multiIndices(x.shape).entries()) {
      const group = x.shape.reduce(
        (sum, size, axis) => (axes.has(axis) ? sum : sum * size + (index[axis] ?? 0)),
        0,
      )
      groups[group]?.push(Number(x.data[i]))
    }
    return groups.map(compute)
  }

const sum = (elements: readonly number[]): number => elements.reduce((a, b) => a + b, 0)

/** A mean of integers that is none is not folded. */
const reductionRules: Readonly<Record<string, FoldingRule>> = {
  ReduceL1: reduce((all) => sum(all.map(Math.abs))),
  ReduceL2: reduce((all) => Math.hypot(...all)),
  ReduceLogSum: reduce((all) => Math.log(sum(all))),
  ReduceLogSumExp: reduce((all) => Math.log(sum(all.map(Math.exp)))),
  ReduceMax: reduce((all) => Math.max(...all)),
  ReduceMean: reduce((all) => sum(all) / all.length),
  ReduceMin: reduce((all) => Math.min(...all)),
  ReduceProd: reduce((all) => all.reduce((a, b) => a * b, 1)),
  ReduceSum: reduce(sum),
  ReduceSumSquare: reduce((all) => sum(all.map((a) => a * a))),
}

const indexingRules: Readonly<Record<string, FoldingRule>> = {
  Concat: concat,
  ConstantOfShape: constantOfShape,
  Expand: expand,
  Flatten: sameElements,
  Gather: gather,
  Identity: sameElements,
  NonZero: nonZero,
  Range: range,
  Reshape: sameElements,
  ScatterND: scatterND,
  Slice: slice,
  Split: split,
  Squeeze: sameElements,
  Tile: tile,
  Transpose: transpose,
  Unsqueeze: sameElements,
}

/** How the outputs of an operator on constants are computed, by the operator's name. */
export const foldingRules: ReadonlyMap<string, FoldingRule> = new Map(
  Object.entries({ ...elementwiseRules, ...indexingRules, ...reductionRules }),
)
