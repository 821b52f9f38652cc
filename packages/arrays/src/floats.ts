/** The arrays that can be trained. Memory is kept in the precision of the parameter. */
export type Floats = Float32Array | Float64Array

/** Any value in the words of an error message: `Float32Array(3)`. */
function describe(value: unknown): string {
  if (!ArrayBuffer.isView(value)) return Array.isArray(value) ? 'a plain array' : `${value}`
  const kind = value.constructor.name
  if (isDetached(value)) return `a ${kind} whose buffer is detached`
  return `${kind}(${'length' in value ? value.length : value.byteLength})`
}

const isSize = (axis: number): boolean => Number.isSafeInteger(axis) && axis >= 0

const isFloats = (value: unknown): value is Floats =>
  value instanceof Float32Array || value instanceof Float64Array

/** A detached buffer, or one that was cut off before the array's end, leaves nothing of the array. */
const isDetached = ({ buffer, byteLength }: ArrayBufferView): boolean => {
  if (byteLength > 0) return false
  try {
    new Uint8Array(buffer) // Throws for a detached buffer, in engines without `buffer.detached` too.
    return false
  } catch {
    return true
  }
}

const isReadOnly = (values: Floats): boolean =>
  Object.isFrozen(values) || ('immutable' in values.buffer && values.buffer.immutable === true)

/** Why a value cannot be trained, to follow "the parameter w" in an error message; or nothing. */
export function untrainable(values: unknown, shape?: readonly number[]): string | undefined {
  if (!isFloats(values)) {
    return `must be a Float32Array or a Float64Array, but is ${describe(values)}`
  }
  if (isDetached(values)) return 'has a detached buffer'
  if (isReadOnly(values)) return 'is frozen'
  if (!shape) return undefined
  const size = shape.every(isSize) ? shape.reduce((product, axis) => product * axis, 1) : Number.NaN
  return size === values.length
    ? undefined
    : `is ${describe(values)}, which has no shape [${shape}]`
}

/** Why a gradient does not fit its parameter, to follow "the gradient of w"; or nothing. */
export function mismatch(parameter: Floats, gradient: unknown): string | undefined {
  const fits =
    isFloats(gradient) &&
    gradient.constructor === parameter.constructor &&
    gradient.length === parameter.length
  if (fits && gradient.length > 0) return undefined
  if (isDetached(parameter)) return 'has lost its parameter, whose buffer is detached'
  return fits ? undefined : `must be ${describe(parameter)}, but is ${describe(gradient)}`
}

/** Two named arrays that share memory, if any do: the first would be moved by the second's step. */
export function overlapping(
  arrays: readonly (readonly [name: string, values: Floats])[],
): readonly [string, string] | undefined {
  const inOrder = arrays
    .filter(([, { length }]) => length > 0)
    .toSorted(([, a], [, b]) => a.byteOffset - b.byteOffset)
  const last = new Map<ArrayBufferLike, readonly [name: string, values: Floats]>()
  for (const [name, values] of inOrder) {
    const before = last.get(values.buffer)
    if (before && before[1].byteOffset + before[1].byteLength > values.byteOffset) {
      return [before[0], name]
    }
    last.set(values.buffer, [name, values])
  }
  return undefined
}

/** Zeros in the same precision and number. */
export const zerosLike = (array: Floats): Floats =>
  array instanceof Float32Array ? new Float32Array(array.length) : new Float64Array(array.length)
