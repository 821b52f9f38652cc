import { elementCount, type UnsharedBytes } from '@diffgrad/onnx'
import { TrainerError } from './errors.ts'

/** A tensor of a safetensors file, row-major. */
export interface SavedTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array | Float64Array
}

/** The content of a safetensors file. */
export interface Safetensors {
  /** Strings by name. */
  readonly metadata: Readonly<Record<string, string>>
  readonly tensors: Readonly<Record<string, SavedTensor>>
}

interface Entry {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly data_offsets: readonly [begin: number, end: number]
}

const arrayTypes = { F32: Float32Array, F64: Float64Array } as const

/**
 * Writes a safetensors file: the length of the header, in eight bytes; the header, JSON; the elements
 * of each tensor, little-endian.
 *
 * @see https://github.com/huggingface/safetensors#format
 */
export function writeSafetensors({ metadata, tensors }: Safetensors): UnsharedBytes {
  let end = 0
  const entries = Object.entries(tensors).map(([name, { shape, data }]) => {
    const begin = end
    end += data.byteLength
    const dtype = data instanceof Float32Array ? 'F32' : 'F64'
    return [name, { dtype, shape, data_offsets: [begin, end] }] as const
  })
  const header = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) })
  const text = new TextEncoder().encode(header)
  // Spaces pad the header, so that the elements begin at a multiple of eight bytes.
  const start = 8 + Math.ceil(text.length / 8) * 8
  const bytes = new Uint8Array(start + end)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true)
  bytes.fill(0x20, 8, start)
  bytes.set(text, 8)
  for (const [name, { data_offsets }] of entries) {
    const { buffer, byteOffset, byteLength } = tensors[name].data
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), start + data_offsets[0])
  }
  return bytes
}

/**
 * Reads a safetensors file whose tensors are all F32 or F64. The elements are copied.
 *
 * @throws {TrainerError} If the bytes are no such file, or a truncated one.
 */
export function readSafetensors(bytes: Uint8Array): Safetensors {
  const { header, start } = readHeader(bytes)
  const { __metadata__: metadata = {}, ...entries } = header
  const tensors = Object.entries(entries).map(([name, entry]) => {
    // Partial, since the file may have been written by anything.
    const { dtype, shape, data_offsets: [begin, end] = [0, -1] } = (entry ?? {}) as Partial<Entry>
    const ArrayType = dtype === 'F32' || dtype === 'F64' ? arrayTypes[dtype] : undefined
    const size = elementCount(shape ?? [])
    if (!ArrayType || !shape || end - begin !== size * ArrayType.BYTES_PER_ELEMENT)
      throw new TrainerError(`checkpoint: "${name}" must be F32 or F64 [${shape}], but is ${dtype}`)
    if (begin < 0 || start + end > bytes.length)
      throw new TrainerError(
        `checkpoint: "${name}" ends at byte ${start + end}, but the file has ${bytes.length}`,
      )
    // `slice` would copy a Uint8Array, but not a Buffer.
    const data = new ArrayType(new Uint8Array(bytes.subarray(start + begin, start + end)).buffer)
    return [name, { shape, data }] as const
  })
  // The format allows only strings in metadata.
  return { metadata: metadata as Safetensors['metadata'], tensors: Object.fromEntries(tensors) }
}

function readHeader(bytes: Uint8Array): {
  readonly header: Readonly<Record<string, unknown>>
  readonly start: number
} {
  const { buffer, byteOffset, length } = bytes
  const headerLength = length < 8 ? -1n : new DataView(buffer, byteOffset).getBigUint64(0, true)
  if (headerLength < 2n || headerLength > BigInt(length - 8))
    throw new TrainerError(
      `checkpoint: must be a safetensors file, but its ${length} bytes are another or a truncated one`,
    )
  const start = 8 + Number(headerLength)
  try {
    return { header: JSON.parse(new TextDecoder().decode(bytes.subarray(8, start))), start }
  } catch (cause) {
    throw new TrainerError('checkpoint: its header must be JSON', { cause })
  }
}
