import { describe, isPlainObject } from '@diffgrad/core'
import type { FloatArray } from '@diffgrad/kernels'

/** Names any value in an error message: `Float32Array(3)`. */
function signature(value: unknown): string {
  if (Array.isArray(value)) return 'a plain array'
  if (isPlainObject(value)) {
    const keys = Object.keys(value)
    return keys.length > 0 ? `an object with the keys ${keys.join(', ')}` : 'an object without keys'
  }
  if (!ArrayBuffer.isView(value)) return describe(value)
  const type = value.constructor.name
  if (isDetached(value)) return `a ${type} whose buffer is detached`
  return `${type}(${'length' in value ? value.length : value.byteLength})`
}

const isSize = (axis: number): boolean => Number.isSafeInteger(axis) && axis >= 0

const isFloatArray = (value: unknown): value is FloatArray =>
  value instanceof Float32Array || value instanceof Float64Array

/** Whether an array lost its elements: its buffer was detached, or shrunk to before the array. */
const isDetached = ({ buffer, byteLength }: ArrayBufferView): boolean => {
  if (byteLength > 0) return false
  try {
    new Uint8Array(buffer) // Throws for a detached buffer, in engines without `buffer.detached` too.
    return false
  } catch {
    return true
  }
}

const isReadOnly = (values: FloatArray): boolean =>
  Object.isFrozen(values) || ('immutable' in values.buffer && values.buffer.immutable === true)

/** Returns why a value cannot be trained, to follow "the parameter w"; undefined if it can. */
export function untrainable(values: unknown, shape?: readonly number[]): string | undefined {
  if (!isFloatArray(values)) {
    const rule = isPlainObject(values)
      ? 'a Float32Array, a Float64Array or { values, shape }'
      : 'a Float32Array or a Float64Array'
    return `must be ${rule}, but is ${signature(values)}`
  }
  if (isDetached(values)) return 'has a detached buffer'
  if (isReadOnly(values)) return 'is frozen'
  if (!shape) return undefined
  const isShape = Array.isArray(shape) && shape.every(isSize)
  const size = isShape ? shape.reduce((product, axis) => product * axis, 1) : Number.NaN
  return size === values.length
    ? undefined
    : `is ${signature(values)}, which has no shape ${describe(shape)}`
}

/** Returns why a gradient does not match its parameter, to follow "the gradient of w". */
export function mismatch(parameter: FloatArray, gradient: unknown): string | undefined {
  const fits =
    isFloatArray(gradient) &&
    gradient.constructor === parameter.constructor &&
    gradient.length === parameter.length
  return fits ? undefined : `must be ${signature(parameter)}, but is ${signature(gradient)}`
}

/** Returns the names of two arrays that overlap in memory, if any do. */
export function overlappingPair(
  arrays: readonly (readonly [name: string, values: FloatArray])[],
): readonly [string, string] | undefined {
  const inOrder = arrays
    .filter(([, { length }]) => length > 0)
    .toSorted(([, a], [, b]) => a.byteOffset - b.byteOffset)
  const last = new Map<ArrayBufferLike, readonly [name: string, values: FloatArray]>()
  for (const [name, values] of inOrder) {
    const before = last.get(values.buffer)
    if (before && before[1].byteOffset + before[1].byteLength > values.byteOffset) {
      return [before[0], name]
    }
    last.set(values.buffer, [name, values])
  }
  return undefined
}
