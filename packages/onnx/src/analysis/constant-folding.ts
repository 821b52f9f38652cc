import type { InferredType, Operation } from '../ir/graph.ts'
import { constantElements } from '../ir/value.ts'
import { elements } from '../model/data-type.ts'
import { elementCount, multiIndices, type Tensor } from '../model/model.ts'
import { constantTensor, fillValue, shapeAxes } from './shapes/constant.ts'
import { axisSlices, permutation } from './shapes/shape.ts'

/** Constants of up to this many elements are folded: shapes, axes and masks of shapes. */
const maxElements = 1024

/** Computes the elements of an output of the given shape from constant inputs. */
type FoldingRule = (
  inputs: readonly Tensor[],
  shape: readonly number[],
  operation: Operation,
) => readonly (number | bigint)[]

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
  )(inputs, shape, operation)
}

const elementwiseRules: Readonly<Record<string, FoldingRule>> = {
  Add: elementwise((a, b) => a + b),
  And: elementwise((a, b) => Number(a && b)),
  Cast: cast,
  Ceil: elementwise(Math.ceil),
  Div: div,
  Equal: elementwise((a, b) => Number(a === b)),
  Floor: elementwise(Math.floor),
  Greater: elementwise((a, b) => Number(a > b)),
  Less: elementwise((a, b) => Number(a < b)),
  Max: elementwise(Math.max),
  Min: elementwise(Math.min),
  Mul: elementwise((a, b) => a * b),
  Neg: elementwise((a) => -a),
  Not: elementwise((a) => Number(!a)),
  Or: elementwise((a, b) => Number(a || b)),
  Sqrt: elementwise(Math.sqrt),
  Sub: elementwise((a, b) => a - b),
  Where: where,
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

const indexingRules: Readonly<Record<string, FoldingRule>> = {
  Concat: concat,
  ConstantOfShape: constantOfShape,
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

const foldingRules = new Map<string, FoldingRule>(
  Object.entries({ ...elementwiseRules, ...indexingRules }),
)

/**
 * Computes the first output of an operation if its inputs are small constants; returns `undefined`
 * otherwise. Exporters compute shapes by chains of operators, which become the constants that shape
 * inference needs.
 */
export function foldConstants(
  operation: Operation,
  inferred: readonly InferredType[],
): Tensor | undefined {
  const [output] = inferred
  if (operation.domain !== '' || output === undefined) return undefined
  if (operation.operator === 'Constant') return constantTensor(operation)
  if (operation.operator === 'Shape') return foldShape(operation)
  const shape = output.shape.filter((size) => typeof size === 'number')
  const rule = foldingRules.get(operation.operator)
  if (!rule || shape.length < output.shape.length || elementCount(shape) > maxElements)
    return undefined
  const inputs: Tensor[] = []
  for (const input of operation.inputs) {
    if (input?.constant === undefined || input.constant.data.length > maxElements) return undefined
    inputs.push(input.constant)
  }
  const { type } = output
  const values = rule(inputs, shape, operation)
  const exact =
    type === 'float32' || values.every((x) => typeof x === 'bigint' || Number.isSafeInteger(x))
  return exact ? { type, shape, data: elements(type, values) } : undefined
}

function foldShape(operation: Operation): Tensor | undefined {
  const lengths = operation.input(0).shape.slice(...shapeAxes(operation))
  const numbers = lengths.filter((size) => typeof size === 'number')
  return numbers.length < lengths.length
    ? undefined
    : { type: 'int64', shape: [numbers.length], data: elements('int64', numbers) }
}
