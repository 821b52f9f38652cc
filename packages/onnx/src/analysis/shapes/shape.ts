import type { Operation } from '../../ir/graph.ts'
import { axisSize, staticShape } from '../../ir/value.ts'
import type { Dimension } from '../../model/model.ts'
import { broadcast, integerElements, namedAxes, type ShapeRule, shapeInput } from './shape-rule.ts'

/** The element count of a shape. A symbolic dimension is allowed if all other lengths are 1. */
function dimensionProduct(operation: Operation, shape: readonly Dimension[]): Dimension {
  const others = shape.filter((size) => size !== 1)
  if (others.length === 1 && others[0] !== undefined) return others[0]
  return others.reduce<number>((n, size) => {
    if (typeof size === 'string') throw operation.error(`dimension "${size}" must have a size`)
    return n * size
  }, 1)
}

/** 0 copies a length of the input, and one −1 stands for the remaining elements. */
const reshape: ShapeRule = (operation) => {
  const x = operation.input(0)
  const zeroCopies = operation.int('allowzero', 0) === 0
  const target = shapeInput(operation, 1).map((size, axis) =>
    size === 0 && zeroCopies ? (x.shape[axis] ?? 0) : size,
  )
  // Equal dimensions of both shapes cancel, symbolic ones included.
  const unmatched = [...x.shape]
  const rest = target.filter((size) => {
    const match = unmatched.indexOf(size)
    if (match >= 0) unmatched.splice(match, 1)
    return match < 0
  })
  const inferred = rest.indexOf(-1)
  if (inferred < 0) {
    const [had, needs] = [dimensionProduct(operation, unmatched), dimensionProduct(operation, rest)]
    if (had !== needs) throw operation.error(`[${x.shape}] cannot be reshaped to [${target}]`)
    return [{ type: x.type, shape: target }]
  }
  const divisor = dimensionProduct(operation, rest.toSpliced(inferred, 1))
  const total = dimensionProduct(operation, unmatched)
  const size = divisor === 1 ? total : Number(total) / Number(divisor)
  if (typeof size === 'number' && !Number.isInteger(size))
    throw operation.error(`[${x.shape}] cannot be reshaped to [${target}]`)
  return [{ type: x.type, shape: target.map((other) => (other === -1 ? size : other)) }]
}

const flatten: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  const axis = operation.int('axis', 1)
  const split = axis < 0 ? axis + shape.length : axis
  if (!(split >= 0 && split <= shape.length))
    throw operation.error(`axis must be in [${-shape.length}, ${shape.length}], but is ${axis}`)
  const [front, back] = [shape.slice(0, split), shape.slice(split)]
  return [{ type, shape: [dimensionProduct(operation, front), dimensionProduct(operation, back)] }]
}

const squeeze: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  const axes =
    operation.inputs[1] &&
    shapeInput(operation, 1).map((axis) => operation.axis(axis, shape.length))
  const long = axes?.find((axis) => typeof shape[axis] === 'number' && shape[axis] !== 1)
  if (long !== undefined)
    throw operation.error(`axis ${long} must have length 1 to be removed, but has ${shape[long]}`)
  const stays = (size: Dimension, axis: number): boolean =>
    axes ? !axes.includes(axis) : size !== 1
  return [{ type, shape: shape.filter(stays) }]
}

const unsqueeze: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  const added = shapeInput(operation, 1)
  const rank = shape.length + added.length
  const axes = added.map((axis) => operation.axis(axis, rank)).toSorted((a, b) => a - b)
  if (new Set(axes).size < axes.length)
    throw operation.error(`axes must be different, but are [${added}]`)
  return [
    {
      type,
      shape: axes.reduce<readonly Dimension[]>((grown, axis) => grown.toSpliced(axis, 0, 1), shape),
    },
  ]
}

/** The permutation of a Transpose: by default it reverses the axes. */
export function permutation(operation: Operation): readonly number[] {
  const axes = operation.input(0).shape.map((_, axis) => axis)
  const perm = operation.ints('perm') ?? axes.toReversed()
  if (perm.length !== axes.length || axes.some((axis) => !perm.includes(axis)))
    throw operation.error(`perm must be a permutation of [${axes}], but is [${perm}]`)
  return perm
}

const transpose: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  return [{ type, shape: permutation(operation).map((axis) => shape[axis] ?? 1) }]
}

const expand: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  return [{ type, shape: broadcast(operation, shape, shapeInput(operation, 1)) }]
}

const tile: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  const repeats = shapeInput(operation, 1)
  if (repeats.length !== shape.length)
    throw operation.error(`repeats must have ${shape.length} entries, but has ${repeats.length}`)
  return [
    {
      type,
      shape: shape.map((size, axis) => dimensionProduct(operation, [size, repeats[axis] ?? 1])),
    },
  ]
}

/** The indices that a Slice takes from one axis: `length` of them from `start`, `step` apart. */
export interface AxisSlice {
  readonly axis: number
  readonly start: number
  readonly step: number
  readonly length: number
}

/** The slices of a Slice, one per axis that it names. */
export function axisSlices(operation: Operation): readonly AxisSlice[] {
  const { shape } = operation.input(0)
  const [starts, ends] = [shapeInput(operation, 1), shapeInput(operation, 2)]
  const axes = operation.inputs[3] ? shapeInput(operation, 3) : starts.map((_, i) => i)
  const steps = operation.inputs[4] ? shapeInput(operation, 4) : starts.map(() => 1)
  if ([ends, axes, steps].some(({ length }) => length !== starts.length))
    throw operation.error('starts, ends, axes and steps must have equally many entries')
  if (new Set(axes.map((axis) => operation.axis(axis, shape.length))).size < axes.length)
    throw operation.error(`axes must be different, but are [${axes}]`)
  return axes.map((named, i) => {
    const axis = operation.axis(named, shape.length)
    const size = axisSize(operation.input(0), axis)
    const step = steps[i] ?? 1
    if (step === 0) throw operation.error('a step must not be 0')
    const clamp = (index: number, low: number, high: number): number =>
      Math.min(Math.max(index < 0 ? index + size : index, low), high)
    const [low, high] = step > 0 ? [0, size] : [-1, size - 1]
    const start = clamp(starts[i] ?? 0, Math.max(low, 0), high)
    const end = clamp(ends[i] ?? 0, low, high)
    return { axis, start, step, length: Math.max(0, Math.ceil((end - start) / step)) }
  })
}

const slice: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  const lengths = new Map(axisSlices(operation).map(({ axis, length }) => [axis, length]))
  return [{ type, shape: shape.map((size, axis) => lengths.get(axis) ?? size) }]
}

const concat: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  const axis = operation.axis(operation.int('axis', 0), shape.length)
  const lengths = operation.inputs.map((_, i) => {
    const input = operation.input(i)
    const differs = (size: Dimension, at: number): boolean =>
      at !== axis && typeof size === 'number' && typeof shape[at] === 'number' && size !== shape[at]
    if (input.shape.length !== shape.length || input.shape.some(differs))
      throw operation.error(`[${shape}] and [${input.shape}] must be equal but for axis ${axis}`)
    return input.shape[axis] ?? 0
  })
  const sized = staticShape({ name: operation.name, shape: lengths })
  return [
    {
      type,
      shape: shape.with(
        axis,
        sized.reduce((sum, size) => sum + size, 0),
      ),
    },
  ]
}

/** More outputs than any model names. */
const maxOutputs = 2 ** 16

/** The lengths of a Split's outputs: the second input, or equal ones with a shorter last one. */
export function splitLengths(operation: Operation): readonly number[] {
  const x = operation.input(0)
  const size = axisSize(x, operation.axis(operation.int('axis', 0), x.shape.length))
  if (operation.inputs[1]) {
    const lengths = integerElements(operation, 1)
    if (lengths.some((length) => length < 0) || lengths.reduce((a, b) => a + b, 0) !== size)
      throw operation.error(`lengths must add up to ${size}, but are [${lengths}]`)
    return lengths
  }
  const outputs = operation.int('num_outputs', 1)
  const most = Math.min(size, maxOutputs)
  if (!(outputs > 0 && outputs <= most))
    throw operation.error(`num_outputs must be in [1, ${most}], but is ${outputs}`)
  const length = Math.ceil(size / outputs)
  return Array.from({ length: outputs }, (_, i) => Math.min(length, size - i * length))
}

const split: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  const axis = operation.axis(operation.int('axis', 0), shape.length)
  return splitLengths(operation).map((length) => ({ type, shape: shape.with(axis, length) }))
}

/** How many elements a Pad adds before and after every axis. */
export function padAmounts(
  operation: Operation,
): readonly (readonly [begin: number, end: number])[] {
  const amounts = shapeInput(operation, 1)
  const axes = namedAxes(operation, operation.inputs[3] && shapeInput(operation, 3))
  if (amounts.length !== 2 * axes.length)
    throw operation.error(`pads must have ${2 * axes.length} entries, but has ${amounts.length}`)
  return operation.input(0).shape.map((_, axis) => {
    const i = axes.indexOf(axis)
    return i < 0 ? [0, 0] : [amounts[i] ?? 0, amounts[i + axes.length] ?? 0]
  })
}

const pad: ShapeRule = (operation) => {
  const { type, name, shape } = operation.input(0)
  const padded = padAmounts(operation).map(([begin, end], axis) => {
    const size = shape[axis] ?? 0
    if (begin === 0 && end === 0) return size
    return begin + end + axisSize({ name, shape }, axis)
  })
  return [{ type, shape: padded }]
}

/** The lengths of the named axes after a CenterCropPad. */
const centerCropPad: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  const axes = namedAxes(operation, operation.ints('axes'))
  const target = shapeInput(operation, 1)
  if (target.length !== axes.length)
    throw operation.error(`shape must have ${axes.length} entries, but has ${target.length}`)
  return [{ type, shape: shape.map((size, axis) => target[axes.indexOf(axis)] ?? size) }]
}

/** The edge of the blocks that a DepthToSpace or SpaceToDepth moves. */
function blockSize(operation: Operation): number {
  const block = operation.int('blocksize', 0)
  if (operation.input(0).shape.length !== 4 || block < 1)
    throw operation.error(`blocksize must be >= 1, and the image have 4 axes, but it is ${block}`)
  return block
}

const divided = (operation: Operation, size: number, divisor: number): number => {
  if (size % divisor === 0) return size / divisor
  throw operation.error(`a length of ${size} must be a multiple of ${divisor}`)
}

const depthToSpace: ShapeRule = (operation) => {
  const x = operation.input(0)
  const block = blockSize(operation)
  const [, channels = 1, height = 1, width = 1] = staticShape(x)
  return [
    {
      type: x.type,
      shape: [
        x.shape[0] ?? 1,
        divided(operation, channels, block ** 2),
        height * block,
        width * block,
      ],
    },
  ]
}

const spaceToDepth: ShapeRule = (operation) => {
  const x = operation.input(0)
  const block = blockSize(operation)
  const [, channels = 1, ...space] = staticShape(x)
  const [height = 1, width = 1] = space.map((size) => divided(operation, size, block))
  return [{ type: x.type, shape: [x.shape[0] ?? 1, channels * block ** 2, height, width] }]
}

/** Shapes of operators that reorder, cut, repeat or insert elements. */
export const layoutShapes: Readonly<Record<string, ShapeRule>> = {
  CenterCropPad: centerCropPad,
  Concat: concat,
  DepthToSpace: depthToSpace,
  Expand: expand,
  Flatten: flatten,
  Pad: pad,
  Reshape: reshape,
  Slice: slice,
  SpaceToDepth: spaceToDepth,
  Split: split,
  Squeeze: squeeze,
  Tile: tile,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
}
