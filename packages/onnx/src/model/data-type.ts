/** The element types that are computed with, and the arrays that hold their elements. */
interface Arrays {
  float32: Float32Array
  float64: Float64Array
  int8: Int8Array
  int16: Int16Array
  int32: Int32Array
  int64: BigInt64Array
  uint8: Uint8Array
  uint16: Uint16Array
  uint32: Uint32Array
  uint64: BigUint64Array
  /** A byte of 0 or 1. */
  bool: Uint8Array
}

/** The element types that are computed with. Half precision is widened to `float32` when read. */
export type DataType = keyof Arrays

/** The array that holds the elements of a type. */
export type Elements<T extends DataType = DataType> = Arrays[T]

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const

/** The format's number of every type of ours. */
const codes: Readonly<Record<DataType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
  uint32: 12,
  uint64: 13,
}

/** The format's numbers for half precision: IEEE binary16, and the upper half of binary32. */
export const float16: number = 10
export const bfloat16: number = 16

const isDataType = (name: string): name is DataType => Object.hasOwn(codes, name)

const types = new Map(
  Object.entries(codes).flatMap(([type, code]) =>
    isDataType(type) ? [[code, type] as const] : [],
  ),
)

/** Bytes an element takes. */
export const elementSize = (type: DataType): number => arrays[type].BYTES_PER_ELEMENT

/** The format's number of a type. */
export const codeOf = (type: DataType): number => codes[type]

/** The type that values of a format's number are computed in; `undefined` for one that is not computed with. */
export const typeOf = (code: number): DataType | undefined =>
  code === float16 || code === bfloat16 ? 'float32' : types.get(code)

/** Views little-endian bytes, which must be aligned, as elements of a type. */
export const viewAs = (
  type: DataType,
  { buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>,
): Elements => new arrays[type](buffer, byteOffset, byteLength / elementSize(type))

/** Numbers as elements of a type; integers beyond 2⁵³ are given as bigint. */
export function elements(type: DataType, values: Iterable<number | bigint>): Elements {
  if (type === 'int64') return BigInt64Array.from(values, BigInt)
  if (type === 'uint64') return BigUint64Array.from(values, BigInt)
  return new arrays[type](Array.from(values, Number))
}
