import type { Histogram } from '@diffgrad/core'
import { maskedCrc32c } from './crc32c.ts'
import { message } from './protobuf.ts'

/** Something to draw at a step: a number or a histogram, by its tag. */
export interface Summary {
  readonly step: number
  readonly values: Readonly<Record<string, number | Histogram>>
}

/** The record that an event file begins with; `seconds` since 1970. */
export const version = (seconds: number): Uint8Array =>
  record(
    message([
      [1, { double: seconds }],
      [3, 'brain.Event:2'],
    ]),
  )

/**
 * An event as TensorBoard reads it: a `tensorflow.Event` in a record of a TFRecord file.
 *
 * @see tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto.
 */
export const event = ({ step, values }: Summary, seconds: number): Uint8Array =>
  record(
    message([
      [1, { double: seconds }],
      [2, { integer: step }],
      [5, message(Object.entries(values).map(([tag, value]) => [1, valueMessage(tag, value)]))],
    ]),
  )

const valueMessage = (tag: string, value: number | Histogram): Uint8Array =>
  message([[1, tag], typeof value === 'number' ? [2, { float: value }] : [5, histogramOf(value)]])

/** Bucket i holds the values up to its limit. What lies outside has a bucket at either end. */
function histogramOf({ edges, counts, mean }: Histogram): Uint8Array {
  const number = counts.reduce((a, b) => a + b, 0)
  return message([
    [1, { double: edges[0] }],
    [2, { double: edges[edges.length - 1] }],
    [3, { double: number }],
    [4, { double: mean * number }],
    [5, { double: mean ** 2 * number }],
    [6, { doubles: edges }],
    [7, { doubles: [0, ...counts] }],
  ])
}

/** Length, its checksum, the bytes, and theirs. */
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
