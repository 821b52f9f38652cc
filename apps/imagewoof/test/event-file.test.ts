import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { crc32c, EventFile, maskedCrc32c } from '../src/run/event-file.ts'
import { temporaryFolder } from './images.ts'

test('CRC-32C gives the examples of RFC 3720, appendix B.4', () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43)
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e)
})

/** The fields of a protobuf message by number: an independent reader of the wire format. */
function fieldsOf(bytes: Buffer): readonly (readonly [number, bigint | number | Buffer])[] {
  const found: [number, bigint | number | Buffer][] = []
  let at = 0
  const varint = (): bigint => {
    let [value, shift] = [0n, 0n]
    for (;;) {
      const byte = BigInt(bytes[at++])
      value |= (byte & 127n) << shift
      if (byte < 128n) return value
      shift += 7n
    }
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    const number = tag >> 3
    switch (tag & 7) {
      case 0:
        found.push([number, varint()])
        break
      case 1:
        found.push([number, bytes.readDoubleLE(at)])
        at += 8
        break
      case 2: {
        const length = Number(varint())
        found.push([number, bytes.subarray(at, at + length)])
        at += length
        break
      }
      case 5:
        found.push([number, bytes.readFloatLE(at)])
        at += 4
        break
      default:
        throw new Error(`wire type ${tag & 7}`)
    }
  }
  return found
}

const field = (bytes: Buffer, number: number) => fieldsOf(bytes).find(([n]) => n === number)?.[1]
const bytesOf = (value: unknown): Buffer => {
  if (Buffer.isBuffer(value)) return value
  throw new TypeError('must be bytes')
}

/** The records of the TFRecord file in a folder, with verified checksums. */
function eventsOf(folder: string): readonly Buffer[] {
  const [name] = readdirSync(folder)
  expect(name).toMatch(/^events\.out\.tfevents\.\d+\./)
  const file = readFileSync(join(folder, name))
  const events: Buffer[] = []
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at))
    expect(file.readUInt32LE(at + 8)).toBe(maskedCrc32c(file.subarray(at, at + 8)))
    const event = file.subarray(at + 12, at + 12 + length)
    expect(file.readUInt32LE(at + 12 + length)).toBe(maskedCrc32c(event))
    events.push(event)
    at += length + 16
  }
  return events
}

test('an event file holds numbers and histograms by tag and step', async () => {
  const folder = temporaryFolder()
  const events = await EventFile.open(folder, 0)
  await events.add({ step: 300, values: { loss: 1.5, accuracy: 0.25 } })
  const histogram = { edges: [0, 0.5, 1], counts: [3, 5], outside: 0, mean: 0.6 }
  await events.add({ step: 301, values: { xi: histogram } })
  await events.close()
  const [version, numbers, histograms] = eventsOf(folder)
  expect(bytesOf(field(version, 3)).toString()).toBe('brain.Event:2')
  expect(field(numbers, 2)).toBe(300n)
  const values = fieldsOf(bytesOf(field(numbers, 5))).map(([, value]) => bytesOf(value))
  expect(values.map((value) => [bytesOf(field(value, 1)).toString(), field(value, 2)])).toEqual([
    ['loss', 1.5],
    ['accuracy', 0.25],
  ])
  const [value] = fieldsOf(bytesOf(field(histograms, 5))).map(([, field]) => bytesOf(field))
  const proto = bytesOf(field(value, 5))
  const doubles = (bytes: Buffer) =>
    Array.from({ length: bytes.length / 8 }, (_, i) => bytes.readDoubleLE(8 * i))
  expect(doubles(bytesOf(field(proto, 6)))).toEqual([0, 0.5, 1])
  expect(doubles(bytesOf(field(proto, 7)))).toEqual([0, 3, 5])
  expect(field(proto, 3)).toBe(8)
})

test('records written after a checkpoint are discarded', async () => {
  const folder = temporaryFolder()
  const first = await EventFile.open(folder, 0)
  await first.add({ step: 0, values: { loss: 3 } })
  const { length } = first
  await first.add({ step: 1, values: { loss: 2 } })
  await first.close()
  const second = await EventFile.open(folder, length)
  await second.add({ step: 1, values: { loss: 2.5 } })
  await second.close()
  const steps = eventsOf(folder).slice(1)
  expect(steps.map((event) => field(event, 2) ?? 0n)).toEqual([0n, 1n])
  const [last] = fieldsOf(bytesOf(field(steps[1], 5))).map(([, value]) => bytesOf(value))
  expect(field(last, 2)).toBe(2.5)
})
