import type { Operation } from '../ir/operation.ts'
import { settled } from '../ir/value.ts'
import type { Dimension } from '../model/model.ts'
import { broadcast, type Inference, same } from './inference.ts'

/** The product of lengths; one that is a name may stand alone. */
function product(operation: Operation, shape: readonly Dimension[]): Dimension {
  const others = shape.filter((size) => size !== 1)
  if (others.length === 1 && others[0] !== undefined) return others[0]
  return others.reduce<number>((n, size) => {
    if (typeof size === 'string') throw operation.error(`dimension "${size}" must have a size`)
    return n * size
  }, 1)
}

/** 0 keeps an axis, one −1 takes what is left. */
const reshape: Inference = (operation) => {
  const x = operation.input(0)
  const keeps = operation.int('allowzero', 0) === 0
  const wanted = settled(operation.input(1)).map((size, axis) =>
    size === 0 && keeps ? (x.shape[axis] ?? 0) : size,
  )
  // What stands on both sides cancels, names included.
  const left = [...x.shape]
  const rest = wanted.filter((size) => {
    const place = left.indexOf(size)
    if (place >= 0) left.splice(place, 1)
    return place < 0
  })
  const open = rest.indexOf(-1)
  if (open < 0) {
    const [had, needs] = [product(operation, left), product(operation, rest)]
    if (had !== needs) throw operation.error(`[${x.shape}] cannot be reshaped to [${wanted}]`)
    return [{ type: x.type, shape: wanted }]
  }
  const divisor = product(operation, rest.toSpliced(open, 1))
  const whole = product(operation, left)
  const size = divisor === 1 ? whole : Number(whole) / Number(divisor)
  if (typeof size === 'number' && !Number.isInteger(size))
    throw operation.error(`[${x.shape}] cannot be reshaped to [${wanted}]`)
  return [{ type: x.type, shape: wanted.map((other) => (other === -1 ? size : other)) }]
}

const flatten: Inference = (operation) => {
  const { type, shape } = operation.input(0)
  const axis = operation.int('axis', 1)
  const at = axis < 0 ? axis + shape.length : axis
  const [front, back] = [shape.slice(0, at), shape.slice(at)]
  return [{ type, shape: [product(operation, front), product(operation, back)] }]
}

const squeeze: Inference = (operation) => {
  const { type, shape } = operation.input(0)
  const given = operation.inputs[1]
  const axes = given && settled(given).map((axis) => operation.axis(axis, shape.length))
  const stays = (size: Dimension, axis: number): boolean =>
    axes ? !axes.includes(axis) : size !== 1
  return [{ type, shape: shape.filter(stays) }]
}

const unsqueeze: Inference = (operation) => {
  const { type, shape } = operation.input(0)
  const added = settled(operation.input(1))
  const rank = shape.length + added.length
  const axes = added.map((axis) => operation.axis(axis, rank)).toSorted((a, b) => a - b)
  return [
    {
      type,
      shape: axes.reduce<readonly Dimension[]>((grown, axis) => grown.toSpliced(axis, 0, 1), shape),
    },
  ]
}

/** How a Transpose orders the axes: by default backwards. */
export const permutation = (operation: Operation): readonly number[] =>
  operation.ints('perm') ??
  operation
    .input(0)
    .shape.map((_, axis) => axis)
    .toReversed()

const transpose: Inference = (operation) => {
  const { type, shape } = operation.input(0)
  return [{ type, shape: permutation(operation).map((axis) => shape[axis] ?? 1) }]
}

const expand: Inference = (operation) => {
  const { type, shape } = operation.input(0)
  return [{ type, shape: broadcast(operation, shape, settled(operation.input(1))) }]
}

const tile: Inference = (operation) => {
  const { type, shape } = operation.input(0)
  const repeats = settled(operation.input(1))
  return [
    { type, shape: shape.map((size, axis) => product(operation, [size, repeats[axis] ?? 1])) },
  ]
}

/** Operators that only lay the same elements out in another way. */
export const layout: Readonly<Record<string, Inference>> = {
  Expand: expand,
  Flatten: flatten,
  Reshape: reshape,
  Squeeze: squeeze,
  Tile: tile,
  Transpose: transpose,
  Trilu: same,
  Unsqueeze: unsqueeze,
}
