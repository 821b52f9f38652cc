/** The supported element types, and the typed arrays that hold their elements. */
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

/** A supported element type. `readModel` widens half precision to `float32`. */
export type DataType = keyof Arrays

/** The typed array that holds the elements of a type. */
export type Elements<T extends DataType = DataType> = Arrays[T]

/**
 * A `Uint8Array` that is not over shared memory. Before TypeScript 5.7, typed arrays have no type
 * parameter, so declarations cannot write `Uint8Array<ArrayBuffer>`.
 */
export type UnsharedBytes = ReturnType<Uint8ArrayConstructor['of']>

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

/** `TensorProto.DataType` of every supported type. */
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

/** `TensorProto.DataType` of half precision: IEEE binary16, and the upper half of binary32. */
export const float16: number = 10
export const bfloat16: number = 16

const isDataType = (name: string): name is DataType => Object.hasOwn(codes, name)

const types = new Map(
  Object.entries(codes).flatMap(([type, code]) =>
    isDataType(type) ? [[code, type] as const] : [],
  ),
)

/** Bytes per element. */
export const elementSize = (type: DataType): number => arrays[type].BYTES_PER_ELEMENT

/** The `TensorProto.DataType` of a type. */
export const codeOf = (type: DataType): number => codes[type]

/** The type for a `TensorProto.DataType`, `float32` for half precision; `undefined` if unsupported. */
export const typeOf = (code: number): DataType | undefined =>
  code === float16 || code === bfloat16 ? 'float32' : types.get(code)

/** Views aligned little-endian bytes as elements of a type. */
export const viewAs = (
  type: DataType,
  { buffer, byteOffset, byteLength }: UnsharedBytes,
): Elements => new arrays[type](buffer, byteOffset, byteLength / elementSize(type))

/** Converts numbers to elements of a type. Integers beyond 2⁵³ must be bigints. */
export function elements(type: DataType, values: Iterable<number | bigint>): Elements {
  if (type === 'int64') return BigInt64Array.from(values, BigInt)
  if (type === 'uint64') return BigUint64Array.from(values, BigInt)
  return new arrays[type](Array.from(values, Number))
}

/** IEEE binary16 bits as a number: (−1)ˢ · 2ᵉ⁻¹⁵ · 1.f, subnormal where e = 0, infinite or NaN where e = 31. */
function widenFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return exponent === 0
    ? sign * fraction * 2 ** -24
    : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

const binary32 = new DataView(new ArrayBuffer(4))

/** bfloat16 bits, the upper half of a binary32, as a number. */
function widenBfloat16(bits: number): number {
  binary32.setUint32(0, bits * 0x10000)
  return binary32.getFloat32(0)
}

/** The integer nearest to a number >= 0; of two, the even one. */
function roundToEven(x: number): number {
  const floor = Math.floor(x)
  const rest = x - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
}

/** The float32 bits of a number, rounded to their upper bits: the lower `count` are cut off. */
function upperBits(bits: number, count: number): number {
  const unit = 2 ** count
  return roundToEven(bits / unit)
}

/** The nearest IEEE binary16, as bits: beyond 65,519 infinite, below 2⁻¹⁴ subnormal. */
function narrowFloat16(x: number): number {
  const sign = Object.is(Math.sign(x), -0) || x < 0 ? 0x8000 : 0
  const size = Math.abs(x)
  if (Number.isNaN(x)) return 0x7e00
  if (size >= 65520) return sign | 0x7c00
  if (size < 2 ** -14) return sign | roundToEven(size * 2 ** 24)
  binary32.setFloat32(0, size)
  // The exponent's bias is 127 in binary32, and 15 in binary16.
  return sign | (upperBits(binary32.getUint32(0), 13) - ((127 - 15) << 10))
}

/** The nearest bfloat16, as bits. */
function narrowBfloat16(x: number): number {
  if (Number.isNaN(x)) return 0x7fc0
  binary32.setFloat32(0, x)
  return upperBits(binary32.getUint32(0), 16)
}

/**
 * Rounds float32 to the bits of half precision.
 *
 * @returns the bytes, or the index of the first finite element that half precision cannot hold.
 */
export function narrowHalf(dataType: number, wide: Float32Array): UnsharedBytes | number {
  const [narrow, infinity] =
    dataType === float16 ? [narrowFloat16, 0x7c00] : [narrowBfloat16, 0x7f80]
  const bits = new Uint16Array(wide.length)
  for (const [i, x] of wide.entries()) {
    bits[i] = narrow(x)
    if (Number.isFinite(x) && ((bits[i] ?? 0) & 0x7fff) === infinity) return i
  }
  return new Uint8Array(bits.buffer)
}

/** The number for each of the 65,536 bit patterns, by `TensorProto.DataType`; filled on first use. */
const halves = new Map<number, Float32Array>()

/** Widens the bits of half precision to float32. */
export function widenHalf(dataType: number, bits: Uint16Array): Float32Array {
  const widen = dataType === float16 ? widenFloat16 : widenBfloat16
  const table = halves.get(dataType) ?? Float32Array.from({ length: 2 ** 16 }, (_, i) => widen(i))
  halves.set(dataType, table)
  const wide = new Float32Array(bits.length)
  for (let i = 0; i < bits.length; i++) wide[i] = table[bits[i] ?? 0] ?? 0
  return wide
}
