import { type FileHandle, open, readdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Histogram } from '@diffgrad/core'
import { WriteFailure } from '../failure.ts'

/** The values that an event records at a step: numbers and histograms by tag. */
interface EventValues {
  readonly step: number
  readonly values: Readonly<Record<string, number | Histogram>>
}

/**
 * A TensorBoard event file that records are appended to: a TFRecord file of `tensorflow.Event` messages.
 *
 * @see tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto.
 */
export class EventFile {
  readonly #path: string
  /** Undefined if nothing is recorded: of several ranks, the first one records. */
  readonly #file: FileHandle | undefined
  #length: number

  /**
   * Opens the event file of a folder, or creates one.
   *
   * @param length - bytes to keep: records written after the checkpoint are discarded.
   */
  static async open(folder: string, length: number): Promise<EventFile> {
    const names = (await readdir(folder)).filter((name) => name.startsWith('events.out.tfevents.'))
    const seconds = Date.now() / 1000
    const newName = `events.out.tfevents.${Math.floor(seconds)}.${hostname()}`
    const path = join(folder, names[0] ?? newName)
    const file = await open(path, names.length > 0 ? 'r+' : 'w')
    await file.truncate(length)
    const events = new EventFile(path, file, length)
    if (length === 0) await events.#append(versionRecord(seconds))
    return events
  }

  /** An event file that discards its records. */
  static discarded(): EventFile {
    return new EventFile('', undefined, 0)
  }

  private constructor(path: string, file: FileHandle | undefined, length: number) {
    this.#path = path
    this.#file = file
    this.#length = length
  }

  /** In bytes. */
  get length(): number {
    return this.#length
  }

  add(values: EventValues): Promise<void> {
    return this.#append(eventRecord(values, Date.now() / 1000))
  }

  async close(): Promise<void> {
    await this.#file?.close()
  }

  async #append(bytes: Uint8Array): Promise<void> {
    if (!this.#file) return
    let written = 0
    try {
      // A full disk first takes a part of the bytes.
      while (written < bytes.length) {
        const { bytesWritten } = await this.#file.write(
          bytes,
          written,
          null,
          this.#length + written,
        )
        written += bytesWritten
      }
    } catch (cause) {
      throw new WriteFailure(this.#path, cause)
    }
    this.#length += written
  }
}

/** The first record of an event file; `seconds` since 1970. */
const versionRecord = (seconds: number): Uint8Array =>
  record(
    message([
      [1, { double: seconds }],
      [3, 'brain.Event:2'],
    ]),
  )

const eventRecord = ({ step, values }: EventValues, seconds: number): Uint8Array =>
  record(
    message([
      [1, { double: seconds }],
      [2, { integer: step }],
      [5, message(Object.entries(values).map(([tag, value]) => [1, valueMessage(tag, value)]))],
    ]),
  )

const valueMessage = (tag: string, value: number | Histogram): Uint8Array =>
  message([
    [1, tag],
    typeof value === 'number' ? [2, { float: value }] : [5, histogramMessage(value)],
  ])

/** Bucket i holds the values up to limit i. Values outside the edges are not stored. */
function histogramMessage({ edges, counts, mean }: Histogram): Uint8Array {
  const total = counts.reduce((a, b) => a + b, 0)
  return message([
    [1, { double: edges[0] }],
    [2, { double: edges[edges.length - 1] }],
    [3, { double: total }],
    [4, { double: mean * total }],
    [5, { double: mean ** 2 * total }],
    [6, { doubles: edges }],
    [7, { doubles: [0, ...counts] }],
  ])
}

/** A TFRecord: the length, its checksum, the bytes, and their checksum. */
function record(bytes: Uint8Array): Uint8Array {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(bytes.length))
  return Buffer.concat([length, checksum(length), bytes, checksum(bytes)])
}

function checksum(bytes: Uint8Array): Uint8Array {
  const sum = Buffer.alloc(4)
  sum.writeUInt32LE(maskedCrc32c(bytes))
  return sum
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  return crc
})

/** CRC-32C, Castagnoli's polynomial (RFC 3720, appendix B.4). */
export const crc32c = (bytes: Uint8Array): number =>
  ~bytes.reduce((crc, byte) => crcTable[(crc ^ byte) & 255] ^ (crc >>> 8), ~0) >>> 0

/** The checksum of TFRecord files: CRC-32C rotated by 15 bits, plus a constant. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

/** The value of a protobuf field: text, bytes or a message; a double; a float; an integer; packed doubles. */
type Field =
  | string
  | Uint8Array
  | { readonly double: number }
  | { readonly float: number }
  | { readonly integer: number }
  | { readonly doubles: readonly number[] }

/** A protobuf message, from fields by their numbers. @see https://protobuf.dev/programming-guides/encoding */
const message = (fields: readonly (readonly [number: number, value: Field])[]): Uint8Array =>
  Buffer.concat(fields.flatMap(([number, value]) => encodeField(number, value)))

/** Wire types of protobuf. */
const [varint, fixed64, lengthDelimited, fixed32] = [0, 1, 2, 5]

function encodeField(number: number, value: Field): readonly Uint8Array[] {
  if (typeof value === 'string') return encodeField(number, Buffer.from(value))
  if (value instanceof Uint8Array)
    return [fieldTag(number, lengthDelimited), encodeVarint(value.length), value]
  if ('double' in value) return [fieldTag(number, fixed64), encodeDoubles([value.double])]
  if ('doubles' in value) return encodeField(number, encodeDoubles(value.doubles))
  if ('float' in value) {
    const bytes = Buffer.alloc(4)
    bytes.writeFloatLE(value.float)
    return [fieldTag(number, fixed32), bytes]
  }
  return [fieldTag(number, varint), encodeVarint(value.integer)]
}

const fieldTag = (number: number, wireType: number): Uint8Array =>
  encodeVarint((number << 3) | wireType)

function encodeDoubles(values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(8 * values.length)
  for (const [i, value] of values.entries()) bytes.writeDoubleLE(value, 8 * i)
  return bytes
}

/** Seven bits per byte, the lowest first. */
function encodeVarint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return Uint8Array.of(...bytes, rest)
}
