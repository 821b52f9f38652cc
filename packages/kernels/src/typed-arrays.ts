/** An array that kernels read and write: a parameter, a gradient, or an optimizer state. */
export type FloatArray = Float32Array | Float64Array

/** `Uint8Array<ArrayBuffer>`, in words that TypeScript before 5.7 understands, too. */
export type ByteArray = ReturnType<Uint8ArrayConstructor['of']>

/** The data type of an array's elements. */
export type Dtype = 'float32' | 'float64'

/** Returns the data type of an array. */
export const dtypeOf = (array: FloatArray): Dtype =>
  array instanceof Float32Array ? 'float32' : 'float64'

/** Returns zeros in the same precision and number. */
export const zerosLike = (array: FloatArray): FloatArray =>
  array instanceof Float32Array ? new Float32Array(array.length) : new Float64Array(array.length)
