import { TrainerError } from '../error.ts'

/** A tensor as it lies in a file. */
export interface SavedTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array | Float64Array
}

/** What a safetensors file holds. */
export interface Safetensors {
  /** Free text by name. */
  readonly metadata: Readonly<Record<string, string>>
  readonly tensors: Readonly<Record<string, SavedTensor>>
}

interface Entry {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly data_offsets: readonly [begin: number, end: number]
}

const kinds = { F32: Float32Array, F64: Float64Array } as const

/**
 * The bytes of a safetensors file: the length of a header, in eight bytes; the header, JSON; the
 * elements, one tensor after the other, little-endian.
 *
 * @see https://github.com/huggingface/safetensors#format
 */
export function writeSafetensors({ metadata, tensors }: Safetensors): Uint8Array<ArrayBuffer> {
  let end = 0
  const entries = Object.entries(tensors).map(([name, { shape, data }]) => {
    const begin = end
    end += data.byteLength
    const dtype = data instanceof Float32Array ? 'F32' : 'F64'
    return [name, { dtype, shape, data_offsets: [begin, end] }] as const
  })
  const header = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) })
  const text = new TextEncoder().encode(header)
  // Spaces after the header let the elements begin at a multiple of eight.
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
 * Reads a safetensors file of floats.
 *
 * @throws {TrainerError} If it is none, or not a whole one.
 */
export function readSafetensors(bytes: Uint8Array): Safetensors {
  const { header, start } = headerOf(bytes)
  const { __metadata__: metadata = {}, ...entries } = header
  const tensors = Object.entries(entries).map(([name, entry]) => {
    // Whatever the header holds is checked below.
    const { dtype, shape, data_offsets: [begin, end] = [0, -1] } = entry as Partial<Entry>
    const kind = dtype === 'F32' || dtype === 'F64' ? kinds[dtype] : undefined
    const size = (shape ?? []).reduce((product, axis) => product * axis, 1)
    if (!kind || !shape || end - begin !== size * kind.BYTES_PER_ELEMENT)
      throw new TrainerError(`checkpoint: "${name}" must be F32 or F64 [${shape}], but is ${dtype}`)
    if (begin < 0 || start + end > bytes.length)
      throw new TrainerError(
        `checkpoint: "${name}" ends at byte ${start + end}, but the file has ${bytes.length}`,
      )
    // Not `slice`, which copies nothing of a Buffer.
    const data = new kind(new Uint8Array(bytes.subarray(start + begin, start + end)).buffer)
    return [name, { shape, data }] as const
  })
  // The format knows no metadata but text by name.
  return { metadata: metadata as Safetensors['metadata'], tensors: Object.fromEntries(tensors) }
}

function headerOf(bytes: Uint8Array): {
  readonly header: Readonly<Record<string, unknown>>
  readonly start: number
} {
  const { buffer, byteOffset, length } = bytes
  const long = length < 8 ? -1n : new DataView(buffer, byteOffset).getBigUint64(0, true)
  if (long < 2n || long > BigInt(length - 8))
    throw new TrainerError(
      `checkpoint: ${length} bytes are no safetensors file, or not a whole one`,
    )
  const start = 8 + Number(long)
  try {
    return { header: JSON.parse(new TextDecoder().decode(bytes.subarray(8, start))), start }
  } catch (cause) {
    throw new TrainerError('checkpoint: its header must be JSON', { cause })
  }
}
