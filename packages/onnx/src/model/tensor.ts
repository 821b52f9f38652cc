import { create } from '@bufbuild/protobuf'
import {
  bfloat16,
  codeOf,
  type DataType,
  type Elements,
  elementSize,
  elements,
  float16,
  narrowHalf,
  typeOf,
  viewAs,
  widenHalf,
} from './data-type.ts'
import { OnnxError } from './error.ts'
import { elementCount, type OpaqueTensor, type Tensor } from './model.ts'
import { type TensorProto, TensorProtoSchema } from './onnx_pb.ts'

/** Returns the bytes of a file beside the model, by the name that the model stores for it. */
export type ExternalData = (location: string) => Uint8Array

/** For models without external data: throws. */
export const noExternalData: ExternalData = (location) => {
  throw new OnnxError(`external data "${location}": must be passed to readModel, but is not`)
}

/** Reads a tensor from raw bytes, typed fields or an external file. */
export function readTensor(message: TensorProto, external: ExternalData): Tensor | OpaqueTensor {
  const type = typeOf(message.dataType)
  if (type === undefined) return { type: 'opaque', message: withInnerData(message, external) }
  const shape = message.dims.map(Number)
  const length = elementCount(shape)
  if (shape.some((size) => size < 0) || !Number.isSafeInteger(length))
    throw new OnnxError(
      `tensor "${message.name}": shape must have lengths >= 0 and less than 2^53 elements, but is [${shape}]`,
    )
  const data = isHalf(message)
    ? readHalf(message, external)
    : (readRaw(message, type, external) ?? readFields(message, type))
  if (data.length !== length)
    throw new OnnxError(
      `tensor "${message.name}": shape [${shape}] needs ${length} elements, but it holds ${data.length}`,
    )
  return { type, shape, data }
}

/** A message whose bytes do not lie in an external file. */
const withInnerData = (message: TensorProto, external: ExternalData): TensorProto =>
  message.dataLocation === 1
    ? withBytes(message, new Uint8Array(externalBytes(message, external)))
    : message

/** A copy of a message with other raw bytes. */
const withBytes = (message: TensorProto, rawData: Uint8Array): TensorProto => {
  const { name, dims, dataType } = message
  const copy = create(TensorProtoSchema, { name, dims, dataType, rawData })
  if (message.$unknown) copy.$unknown = message.$unknown
  return copy
}

/**
 * Returns a message with the elements of a tensor, in the message's own precision. It is the same message
 * if the elements are.
 *
 * @throws {OnnxError} If half precision cannot hold an element.
 */
export function updateTensor(message: TensorProto, tensor: Tensor): TensorProto {
  const isExternal = message.dataLocation === 1
  const before = isExternal ? undefined : readTensor(message, noExternalData)
  if (before && before.type !== 'opaque' && sameElements(before, tensor)) return message
  const { type, shape, data } = tensor
  if (!isHalf(message) || !(data instanceof Float32Array))
    return withBytes({ ...message, dims: shape.map(BigInt), dataType: codeOf(type) }, bytesOf(data))
  const bytes = narrowHalf(message.dataType, data)
  if (typeof bytes === 'number')
    throw new OnnxError(
      `tensor "${message.name}": must be in the range of ${message.dataType === float16 ? 'float16' : 'bfloat16'}, but element ${bytes} is ${data[bytes]}`,
    )
  return withBytes({ ...message, dims: shape.map(BigInt) }, bytes)
}

/** The bytes of an array, not copied. */
const bytesOf = ({ buffer, byteOffset, byteLength }: Elements): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** Whether two tensors are equal bit for bit. */
function sameElements(a: Tensor, b: Tensor): boolean {
  if (a.type !== b.type || `${a.shape}` !== `${b.shape}`) return false
  const [p, q] = [bytesOf(a.data), bytesOf(b.data)]
  return p.every((byte, i) => byte === q[i])
}

/** Writes a tensor as a message with raw little-endian bytes. */
export function writeTensor(name: string, { type, shape, data }: Tensor): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dataType: codeOf(type),
    dims: shape.map(BigInt),
    rawData: bytesOf(data),
  })
}

const isHalf = ({ dataType }: TensorProto): boolean => dataType === float16 || dataType === bfloat16

/** Half precision is stored as two raw bytes, or bit for bit in an int32. */
function readHalf(message: TensorProto, external: ExternalData): Elements {
  const bytes = rawBytes(message, 'uint16', external)
  const bits = bytes
    ? new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
    : Uint16Array.from(message.int32Data)
  return widenHalf(message.dataType, bits)
}

function readRaw(
  message: TensorProto,
  type: DataType,
  external: ExternalData,
): Elements | undefined {
  const bytes = rawBytes(message, type, external)
  return bytes && viewAs(type, bytes)
}

/** A copy of the raw bytes of a tensor; undefined if it has none. */
function rawBytes(
  message: TensorProto,
  type: DataType,
  external: ExternalData,
): Uint8Array<ArrayBuffer> | undefined {
  const bytes = message.dataLocation === 1 ? externalBytes(message, external) : message.rawData
  if (bytes.length === 0) return undefined
  if (bytes.length % elementSize(type) !== 0)
    throw new OnnxError(
      `tensor "${message.name}": ${type} takes ${elementSize(type)} bytes, but it holds ${bytes.length}`,
    )
  return new Uint8Array(bytes) // Copies: Buffer.slice would share the memory.
}

function readFields(message: TensorProto, type: DataType): Elements {
  switch (type) {
    case 'float32':
      return Float32Array.from(message.floatData)
    case 'float64':
      return Float64Array.from(message.doubleData)
    case 'int64':
      return BigInt64Array.from(message.int64Data)
    case 'uint32':
    case 'uint64':
      return elements(type, message.uint64Data)
    default:
      return elements(type, message.int32Data)
  }
}

/** Returns the bytes of a tensor that an external file holds. */
function externalBytes(message: TensorProto, external: ExternalData): Uint8Array {
  const entries = new Map(message.externalData.map(({ key, value }) => [key, value]))
  const location = entries.get('location')
  if (location === undefined)
    throw new OnnxError(`tensor "${message.name}": external data must have a location`)
  const bytes = external(location)
  const offset = Number(entries.get('offset') ?? 0)
  const length = Number(entries.get('length') ?? bytes.length - offset)
  if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length))
    throw new OnnxError(
      `tensor "${message.name}": "${location}" has ${bytes.length} bytes, but the tensor needs ${length} at offset ${offset}`,
    )
  return bytes.subarray(offset, offset + length)
}
