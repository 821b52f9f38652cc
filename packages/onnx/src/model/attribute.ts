import { create, isFieldSet, isMessage } from '@bufbuild/protobuf'
import { OnnxError } from './error.ts'
import type { Attribute } from './model.ts'
import { type AttributeProto, AttributeProtoSchema } from './onnx_pb.ts'
import { noExternalData, readTensor, writeTensor } from './tensor.ts'

/** `AttributeProto.AttributeType` of the supported attribute types. */
const kinds = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7, strings: 8 } as const

/** Reads an attribute. `node` describes its node in error messages. */
export function readAttribute(message: AttributeProto, node: string): Attribute {
  if (isFieldSet(message, AttributeProtoSchema.field.g) || message.graphs.length > 0)
    throw new OnnxError(
      `${node}: its attribute "${message.name}" is a graph; subgraphs are not supported`,
    )
  switch (message.type) {
    case kinds.float:
      return { float: message.f }
    case kinds.int:
      return safeIntegers([message.i])?.[0] ?? { message }
    case kinds.string:
      return utf8(message.s) ?? { message }
    case kinds.tensor: {
      const tensor = message.t && readTensor(message.t, noExternalData)
      return tensor === undefined || tensor.type === 'opaque' ? { message } : { tensor }
    }
    case kinds.floats:
      return { floats: message.floats }
    case kinds.ints:
      return safeIntegers(message.ints) ?? { message }
    case kinds.strings: {
      const strings = message.strings.map(utf8)
      const read = strings.filter((text) => text !== undefined)
      return read.length === strings.length ? { strings: read } : { message }
    }
    default:
      return { message }
  }
}

/**
 * Writes an attribute as a message.
 *
 * @throws {OnnxError} If a number does not fit its type.
 */
export function writeAttribute(name: string, value: Attribute): AttributeProto {
  checkNumbers(name, value)
  if (typeof value === 'number')
    return create(AttributeProtoSchema, { name, type: kinds.int, i: BigInt(value) })
  if (typeof value === 'string')
    return create(AttributeProtoSchema, {
      name,
      type: kinds.string,
      s: new TextEncoder().encode(value),
    })
  if ('float' in value)
    return create(AttributeProtoSchema, { name, type: kinds.float, f: value.float })
  if ('floats' in value)
    return create(AttributeProtoSchema, { name, type: kinds.floats, floats: [...value.floats] })
  if ('strings' in value) {
    const strings = value.strings.map((text) => new TextEncoder().encode(text))
    return create(AttributeProtoSchema, { name, type: kinds.strings, strings })
  }
  if ('tensor' in value)
    return create(AttributeProtoSchema, {
      name,
      type: kinds.tensor,
      t: writeTensor('', value.tensor),
    })
  if ('message' in value) {
    if (isMessage(value.message, AttributeProtoSchema)) return value.message
    throw new OnnxError(`attribute "${name}": an unsupported type must be a message that was read`)
  }
  return create(AttributeProtoSchema, { name, type: kinds.ints, ints: value.map(BigInt) })
}

function checkNumbers(name: string, value: Attribute): void {
  const integers = typeof value === 'number' ? [value] : Array.isArray(value) ? value : []
  const fraction = integers.find((x) => !Number.isSafeInteger(x))
  if (fraction !== undefined)
    throw new OnnxError(`attribute "${name}": must hold integers, but holds ${fraction}`)
  if (typeof value !== 'object' || !('float' in value || 'floats' in value)) return
  const floats = 'float' in value ? [value.float] : value.floats
  const large = floats.find((x) => Number.isFinite(x) && !Number.isFinite(Math.fround(x)))
  if (large !== undefined)
    throw new OnnxError(`attribute "${name}": must be in the range of float32, but is ${large}`)
}

/** Converts integers to numbers; `undefined` if one is not a safe integer. */
function safeIntegers(integers: readonly bigint[]): readonly number[] | undefined {
  const numbers = integers.map(Number)
  return numbers.every(Number.isSafeInteger) ? numbers : undefined
}

/** Decodes bytes as UTF-8; `undefined` if they are malformed. */
function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
