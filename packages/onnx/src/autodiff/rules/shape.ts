import { type AxisSlice, axisSlices, padAmounts, permutation } from '../../analysis/shapes/shape.ts'
import { namedAxes } from '../../analysis/shapes/shape-rule.ts'
import type { Operation, Value } from '../../ir/graph.ts'
import { axisSize, constantElements, staticShape } from '../../ir/value.ts'
import { elementCount } from '../../model/model.ts'
import { apply } from '../../ops/apply.ts'
import {
  add,
  concat,
  filled,
  pad,
  reduceSum,
  reshape,
  reverse,
  slice,
  sub,
  sumTo,
  transpose,
} from '../../ops/builders.ts'
import { type GradientRule, scatterRows, unary } from './gradient-rule.ts'

/** y = the centre of x, or x amid zeros, along some axes;  ∂x = ∂y amid zeros, or the centre of ∂y */
export const CenterCropPad: GradientRule = unary((x, dy, _y, operation) => {
  const shape = staticShape(x)
  const axes = namedAxes(operation, operation.ints('axes'))
  const lengths = dy.graph.integers(axes.map((axis) => shape[axis] ?? 1))
  return apply('CenterCropPad', [dy, lengths], { axes })
})

/** y = [x₁ … xₙ];  ∂xᵢ = the slice of ∂y at xᵢ */
export const Concat: GradientRule = (operation, dy) => {
  const axis = operation.axis(operation.int('axis', 0), dy.shape.length)
  let end = 0
  return operation.inputs.map((_, i) => {
    const start = end
    end += staticShape(operation.input(i))[axis] ?? 0
    return slice(dy, [{ axis, start, end }])
  })
}

/** y = x broadcast to a shape;  ∂x = Σ∂y over the broadcast axes */
export const Expand: GradientRule = unary((x, dy) => sumTo(dy, x.shape))

/** y = the elements of x as a matrix;  ∂x = ∂y in the shape of x */
export const Flatten: GradientRule = unary((x, dy) => reshape(dy, staticShape(x)))

/** y = the blocks of channels of x as blocks of pixels;  ∂x = the blocks of pixels of ∂y as channels */
export const DepthToSpace: GradientRule = unary((x, dy, _y, operation) => {
  const block = operation.int('blocksize', 1)
  if (operation.string('mode', 'DCR') === 'DCR')
    return apply('SpaceToDepth', [dy], { blocksize: block })
  const [batch = 1, channels = 1, height = 1, width = 1] = staticShape(x)
  const blocks = reshape(dy, [batch, channels / block ** 2, height, block, width, block])
  return reshape(transpose(blocks, [0, 1, 3, 5, 2, 4]), staticShape(x))
})

/** y = the blocks of pixels of x as blocks of channels;  ∂x = the blocks of channels of ∂y as pixels */
export const SpaceToDepth: GradientRule = unary((_x, dy, _y, operation) =>
  apply('DepthToSpace', [dy], { blocksize: operation.int('blocksize', 1) }),
)

/**
 * y = x with padding: a constant, or elements of x as `mode` says;  ∂x = ∂y without a constant padding, or
 * the sum of every ∂y at the element it copies; of the constant it is the sum of ∂y over the padding
 */
export const Pad: GradientRule = (operation, dy) => {
  const x = operation.input(0)
  const amounts = padAmounts(operation)
  const mode = operation.string('mode', 'constant')
  if (mode !== 'constant')
    return [
      amounts.reduce((value, [begin, end], axis) => {
        const size = axisSize(x, axis)
        const length = operation.constantLength([Math.max(begin + size + end, 0)])
        if (begin === 0 && end === 0) return value
        const indices = Array.from({ length }, (_, i) =>
          paddedIndex(operation, mode, i - begin, size),
        )
        return addRuns(value, indices, axis, size)
      }, dy),
    ]
  const dx = pad(
    dy,
    amounts.map(([begin]) => -begin),
    amounts.map(([, end]) => -end),
  )
  const value = operation.inputs[2]
  const sum = (v: Value): Value => sumTo(v, [])
  return [dx, undefined, value && reshape(sub(sum(dy), sum(dx)), staticShape(value))]
}

/** The index in x of the element that a padding copies. */
function paddedIndex(operation: Operation, mode: string, at: number, size: number): number {
  switch (mode) {
    case 'edge':
      return Math.min(Math.max(at, 0), size - 1)
    case 'wrap':
      return remainder(at, size)
    case 'reflect': {
      const position = remainder(at, Math.max(2 * (size - 1), 1))
      return Math.min(position, 2 * (size - 1) - position)
    }
    default:
      throw operation.error(`mode "${mode}" cannot be differentiated`)
  }
}

/** at mod divisor, in [0, divisor). */
const remainder = (at: number, divisor: number): number => ((at % divisor) + divisor) % divisor

/** More runs than these cost more than one scatter of all elements. */
const maxRuns = 16

/**
 * The transpose of selecting indices of an axis that form few runs: each is cut out, turned around or
 * summed as it runs, put in its place, and all are added up.
 */
function addRuns(dy: Value, indices: readonly number[], axis: number, size: number): Value {
  const runs = runsOf(indices, maxRuns + 1)
  const shape = staticShape(dy).with(axis, size)
  if (runs.length === 0 || size === 0) return filled(dy.graph, shape)
  if (runs.length > maxRuns) return scatterRows(dy, dy.graph.integers(indices), shape, axis)
  const zeros = shape.map(() => 0)
  const sums = runs.map(({ start, first, step, length }) => {
    const run = slice(dy, [{ axis, start, end: start + length }])
    const [values, low, count] =
      step === 0
        ? [reduceSum(run, [axis]), first, 1]
        : step > 0
          ? [run, first, length]
          : [reverse(run, axis), first - length + 1, length]
    return pad(values, zeros.with(axis, low), zeros.with(axis, size - low - count))
  })
  return sums.reduce((sum, value) => add(sum, value))
}

/** Divides indices into runs, `most` at most: from `first`, each a `step` of −1, 0 or 1 after the one before. */
function runsOf(
  indices: readonly number[],
  most: number,
): readonly { start: number; first: number; step: number; length: number }[] {
  const runs: { start: number; first: number; step: number; length: number }[] = []
  for (const [start, first] of indices.entries()) {
    const last = runs.at(-1)
    const step = last ? first - (last.first + (last.length - 1) * last.step) : 0
    if (last && Math.abs(step) <= 1 && (last.length === 1 || step === last.step)) {
      last.step = step
      last.length++
    } else if (runs.length === most) break
    else runs.push({ start, first, step: 0, length: 1 })
  }
  return runs
}

/** y = the elements of x in another shape;  ∂x = ∂y in the shape of x */
export const Reshape: GradientRule = unary((x, dy) => reshape(dy, staticShape(x)))

/** y = every step-th element of x from a start on;  ∂x = ∂y at the indices of y, 0 elsewhere */
export const Slice: GradientRule = unary((x, dy, _y, operation) => {
  const shape = staticShape(x)
  return axisSlices(operation).reduce(
    (value, slice) => unslice(operation, value, slice, shape[slice.axis] ?? 0),
    dy,
  )
})

/** Puts a sliced axis back to its length `size`, with zeros at the indices that the slice omits. */
function unslice(operation: Operation, value: Value, slice: AxisSlice, size: number): Value {
  const { axis, length } = slice
  // Reversing takes the index of every element.
  if (slice.step < 0) operation.constantLength([length])
  const step = Math.abs(slice.step)
  const first = slice.step > 0 ? slice.start : slice.start + (length - 1) * slice.step
  const forward = slice.step > 0 ? value : reverse(value, axis)
  const spread = step === 1 ? forward : dilate(forward, axis, step)
  const zeros = staticShape(spread).map(() => 0)
  // The last gap may reach beyond the end; negative padding removes it.
  return pad(spread, zeros.with(axis, first), zeros.with(axis, size - first - length * step))
}

/** Puts step − 1 zeros after every element of an axis. */
function dilate(value: Value, axis: number, step: number): Value {
  const shape = staticShape(value)
  const apart = reshape(value, shape.toSpliced(axis + 1, 0, 1))
  const zeros = [...shape, 1].map(() => 0)
  const padded = pad(apart, zeros, zeros.with(axis + 1, step - 1))
  return reshape(padded, shape.with(axis, (shape[axis] ?? 0) * step))
}

/** [y₁ … yₙ] = x;  ∂x = [∂y₁ … ∂yₙ] */
export const Split: GradientRule = (operation, dy, ...more) => [
  concat([dy, ...more], operation.axis(operation.int('axis', 0), dy.shape.length)),
]

/** y = x without some axes of length 1;  ∂x = ∂y in the shape of x */
export const Squeeze: GradientRule = unary((x, dy) => reshape(dy, staticShape(x)))

/** y = x repeated along its axes;  ∂x = the sum of ∂y over the repetitions */
export const Tile: GradientRule = unary((x, dy, _y, operation) => {
  const shape = staticShape(x)
  const repeats = constantElements(operation.input(1))
  if (elementCount(repeats) === 0) return filled(x.graph, shape)
  const apart = reshape(
    dy,
    shape.flatMap((size, axis) => [repeats[axis] ?? 1, size]),
  )
  return reduceSum(
    apart,
    shape.map((_, axis) => 2 * axis),
    'drop',
  )
})

/** y = x with its axes permuted;  ∂x = ∂y with the inverse permutation */
export const Transpose: GradientRule = unary((_x, dy, _y, operation) => {
  const perm = permutation(operation)
  return transpose(
    dy,
    perm.map((_, axis) => perm.indexOf(axis)),
  )
})

/** y = x with more axes of length 1;  ∂x = ∂y in the shape of x */
export const Unsqueeze: GradientRule = unary((x, dy) => reshape(dy, staticShape(x)))
