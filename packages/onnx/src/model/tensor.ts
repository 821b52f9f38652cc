import { create } from '@bufbuild/protobuf'
import {
  bfloat16,
  codeOf,
  type DataType,
  type Elements,
  elementSize,
  elements,
  float16,
  typeOf,
  viewAs,
  widenBfloat16,
  widenFloat16,
} from './data-type.ts'
import { OnnxError } from './error.ts'
import { elementCount, type OpaqueTensor, type Tensor } from './model.ts'
import { type TensorProto, TensorProtoSchema } from './onnx_pb.ts'

/** Returns the bytes of a file beside the model, by the name that the model stores for it. */
export type ExternalData = (location: string) => Uint8Array

/** For models without external data: throws. */
export const noExternalData: ExternalData = (location) => {
  throw new OnnxError(`external data "${location}": its bytes must be given, but are not`)
}

/** Reads a tensor from raw bytes, typed fields or an external file. */
export function readTensor(message: TensorProto, external: ExternalData): Tensor | OpaqueTensor {
  const type = typeOf(message.dataType)
  if (type === undefined) return { type: 'opaque', message }
  const shape = message.dims.map(Number)
  const length = elementCount(shape)
  if (shape.some((size) => size < 0) || !Number.isSafeInteger(length))
    throw new OnnxError(`tensor "${message.name}": its shape must be countable, but is [${shape}]`)
  const data = isHalf(message)
    ? readHalf(message, external)
    : (readRaw(message, type, external) ?? readFields(message, type))
  if (data.length !== length)
    throw new OnnxError(
      `tensor "${message.name}": shape [${shape}] needs ${length} elements, but it holds ${data.length}`,
    )
  return { type, shape, data }
}

/** Writes a tensor as a message with raw little-endian bytes. */
export function writeTensor(name: string, { type, shape, data }: Tensor): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dataType: codeOf(type),
    dims: shape.map(BigInt),
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  })
}

const isHalf = ({ dataType }: TensorProto): boolean => dataType === float16 || dataType === bfloat16

/** Half precision is stored as two raw bytes, or bit for bit in an int32. */
function readHalf(message: TensorProto, external: ExternalData): Elements {
  const widen = message.dataType === float16 ? widenFloat16 : widenBfloat16
  const bits = readRaw(message, 'uint16', external) ?? elements('uint16', message.int32Data)
  return Float32Array.from(Array.from(bits, Number), widen)
}

function readRaw(
  message: TensorProto,
  type: DataType,
  external: ExternalData,
): Elements | undefined {
  const bytes = message.dataLocation === 1 ? externalBytes(message, external) : message.rawData
  if (bytes.length === 0) return undefined
  if (bytes.length % elementSize(type) !== 0)
    throw new OnnxError(
      `tensor "${message.name}": ${type} takes ${elementSize(type)} bytes, but it holds ${bytes.length}`,
    )
  return viewAs(type, new Uint8Array(bytes)) // Copies: Buffer.slice would share the memory.
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
      `tensor "${message.name}": "${location}" has ${bytes.length} bytes, but ${length} at ${offset} are asked for`,
    )
  return bytes.subarray(offset, offset + length)
}
