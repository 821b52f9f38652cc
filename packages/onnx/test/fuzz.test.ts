import fc from 'fast-check'
import { expect, test } from 'vitest'
import { gradientModel } from '../src/gradient-model.ts'
import { OnnxError } from '../src/model/error.ts'
import { readModel } from '../src/model/read.ts'
import { writeModel } from '../src/model/write.ts'
import { crossEntropy } from '../src/nn/losses.ts'
import { fixture } from './model-file.ts'

/** `pnpm fuzz` sets a time in seconds; an ordinary run tries a fixed number of files. */
const seconds = Number(process.env.FUZZ_SECONDS ?? 0)
const budget =
  seconds > 0
    ? {
        numRuns: Number.MAX_SAFE_INTEGER,
        interruptAfterTimeLimit: 1000 * seconds,
        seed: Date.now(),
      }
    : { numRuns: 3000 }

const files = ['mobile.onnx', 'unet.onnx', 'bert.onnx'].map(fixture)
const external = (): Uint8Array => fixture('bert.onnx_data')

/** An edit at a position in a file: usually replaces bytes, sometimes inserts, removes or truncates. */
const edit = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .uint8Array({ minLength: 1, maxLength: 3 })
      .map((insert) => ({ insert, remove: insert.length, truncate: false })),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      insert: fc.uint8Array({ maxLength: 20 }),
      remove: fc.nat(20),
      truncate: fc.nat(9).map((n) => n === 0),
    }),
  },
)
const position = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })

const corrupted = fc
  .tuple(
    fc.constantFrom(...files),
    fc.array(fc.tuple(position, edit), { minLength: 1, maxLength: 6 }),
  )
  .map(([file, edits]) =>
    edits.reduce((bytes, [at, { remove, insert, truncate }]) => {
      const start = Math.floor(at * bytes.length)
      const rest = truncate ? new Uint8Array() : bytes.subarray(start + remove)
      return new Uint8Array(Buffer.concat([bytes.subarray(0, start), insert, rest]))
    }, file),
  )

/** Reads, writes and differentiates a file. @throws Any error but an `OnnxError`. */
function readAndDifferentiate(bytes: Uint8Array): 'accepted' | 'rejected' {
  try {
    const model = readModel(bytes, external)
    writeModel(model)
    const dimensions = { batch: 2, batch_size: 3, sequence_length: 7 }
    gradientModel(model, { loss: crossEntropy(), dimensions })
    return 'accepted'
  } catch (error) {
    if (error instanceof OnnxError) return 'rejected'
    throw error
  }
}

test(
  'a corrupted file is read or rejected with an OnnxError, in little memory',
  () => {
    const count = { accepted: 0, rejected: 0 }
    const file = fc.oneof(
      { weight: 9, arbitrary: corrupted },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    )
    fc.assert(
      fc.property(file, (bytes) => {
        const before = process.memoryUsage().arrayBuffers
        count[readAndDifferentiate(bytes)]++
        expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20)
      }),
      budget,
    )
    expect(count.accepted).toBeGreaterThan(0)
    if (seconds > 0) console.info(`${count.accepted} files accepted, ${count.rejected} rejected`)
  },
  1000 * seconds + 60_000,
)
