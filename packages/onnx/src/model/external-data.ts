import { OnnxError } from '../error.ts'
import type { TensorProto } from './onnx_pb.ts'

/** Gives the bytes of a file that lies beside the model, by the name that the model knows it by. */
export type ExternalData = (location: string) => Uint8Array

/** For a model that is read alone. */
export const noExternalData: ExternalData = (location) => {
  throw new OnnxError(`external data "${location}": its bytes must be given, but are not`)
}

/** The bytes of a tensor that lie in another file. */
export function externalBytes(message: TensorProto, external: ExternalData): Uint8Array {
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
