import { describe } from '@diffgrad/core'
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
 * @throws {TrainerError} If the bytes are no such file, or a truncated one, or name a key twice, or if
 *   its tensors do not cover all bytes after the header, each byte once.
 */
export function readSafetensors(bytes: Uint8Array): Safetensors {
  const { header, start } = readHeader(bytes)
  const { __metadata__: metadata = {}, ...entries } = header
  if (!isRecord(metadata) || Object.values(metadata).some((text) => typeof text !== 'string'))
    throw new TrainerError('checkpoint: "__metadata__" must hold strings')
  const checked = Object.entries(entries).map(([name, entry]) => checkEntry(name, entry))
  checkOffsets(checked, start, bytes.length)
  const tensors = checked.map(({ name, ArrayType, shape, begin, end }) => {
    // `slice` would copy a Uint8Array, but not a Buffer.
    const data = new ArrayType(new Uint8Array(bytes.subarray(start + begin, start + end)).buffer)
    return [name, { shape, data }] as const
  })
  // Checked above.
  return { metadata: metadata as Safetensors['metadata'], tensors: Object.fromEntries(tensors) }
}

/** An entry of a header that fits its own shape and type. */
interface CheckedEntry {
  readonly name: string
  readonly ArrayType: (typeof arrayTypes)[keyof typeof arrayTypes]
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

/** Whether a value is an object, other than an array. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0

function checkEntry(name: string, entry: unknown): CheckedEntry {
  // Partial, since the file may have been written by anything.
  const { dtype, shape, data_offsets }: Partial<Entry> = isRecord(entry) ? entry : {}
  const ArrayType = dtype === 'F32' || dtype === 'F64' ? arrayTypes[dtype] : undefined
  if (!ArrayType)
    throw new TrainerError(`checkpoint: "${name}" must be F32 or F64 [${shape}], but is ${dtype}`)
  if (!Array.isArray(shape) || !shape.every(isCount))
    throw new TrainerError(
      `checkpoint: the shape of "${name}" must be whole numbers, but is ${describe(shape)}`,
    )
  const [begin, end]: readonly unknown[] = Array.isArray(data_offsets) ? data_offsets : []
  const length = elementCount(shape) * ArrayType.BYTES_PER_ELEMENT
  if (!isCount(begin) || !isCount(end) || end - begin !== length)
    throw new TrainerError(
      `checkpoint: "${name}" must take ${length} bytes as ${dtype} [${shape}], but its offsets are ${data_offsets}`,
    )
  return { name, ArrayType, shape, begin, end }
}

/** Throws unless the tensors cover the bytes after the header without gaps and overlaps. */
function checkOffsets(entries: readonly CheckedEntry[], start: number, length: number): void {
  let covered = 0
  for (const { name, begin, end } of entries.toSorted(
    (a, b) => a.begin - b.begin || a.end - b.end,
  )) {
    if (begin !== covered)
      throw new TrainerError(
        `checkpoint: "${name}" must begin at byte ${start + covered}, where the tensor before it ends, but begins at ${start + begin}`,
      )
    if (start + end > length)
      throw new TrainerError(
        `checkpoint: "${name}" ends at byte ${start + end}, but the file has ${length}`,
      )
    covered = end
  }
  if (start + covered !== length)
    throw new TrainerError(
      `checkpoint: must end at byte ${start + covered}, with its last tensor, but has ${length} bytes`,
    )
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
  const text = new TextDecoder().decode(bytes.subarray(8, start))
  const header = parseObject(text, 'its header')
  return { header, start }
}

/**
 * Parses a JSON object.
 *
 * @param what - its name in error messages.
 * @throws {TrainerError} If the text is no JSON object, or an object in it has a key twice.
 */
export function parseObject(text: string, what: string): Readonly<Record<string, unknown>> {
  const value = parseJson(text, what)
  if (isRecord(value)) return value
  throw new TrainerError(
    `checkpoint: ${what} must be a JSON object, but is ${JSON.stringify(value)}`,
  )
}

/** Parses JSON. Throws as `parseObject` does, but accepts any value. */
export function parseJson(text: string, what: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new TrainerError(`checkpoint: ${what} must be JSON`, { cause })
  }
  const twice = repeatedKey(text)
  if (twice !== undefined)
    throw new TrainerError(`checkpoint: ${what} must have every key once, but has ${twice} twice`)
  return value
}

/** A key that an object of a valid JSON text has twice. `JSON.parse` keeps the last of them only. */
function repeatedKey(text: string): string | undefined {
  const open: Set<string>[] = []
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '{') open.push(new Set())
    else if (text[i] === '}') open.pop()
    else if (text[i] === '"') {
      const begin = i
      do i++
      while (text[i] !== '"' || isEscaped(text, i))
      if (!isKey(text, i + 1)) continue
      // Different escapes may spell the same key.
      const key: string = JSON.parse(text.slice(begin, i + 1))
      const keys = open.at(-1)
      if (keys?.has(key)) return JSON.stringify(key)
      keys?.add(key)
    }
  }
  return undefined
}

/** Whether a colon follows, after spaces. */
function isKey(text: string, end: number): boolean {
  let next = end
  while (' \t\n\r'.includes(text[next] ?? ':')) next++
  return text[next] === ':'
}

/** Whether an odd number of backslashes precedes a character. */
function isEscaped(text: string, position: number): boolean {
  let first = position
  while (text[first - 1] === '\\') first--
  return (position - first) % 2 === 1
}
