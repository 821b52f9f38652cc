import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OnnxError } from '../src/error.ts'
import { gradientModel } from '../src/gradient-model.ts'
import { crossEntropy } from '../src/losses/cross-entropy.ts'
import { readModel } from '../src/model/read.ts'
import { writeModel } from '../src/model/write.ts'
import { fixture } from './file.ts'

/** How long to go on: a minute by `pnpm fuzz`. */
const seconds = Number(process.env.FUZZ_SECONDS ?? 3)

const files = ['mobile.onnx', 'unet.onnx', 'bert.onnx'].map(fixture)
const external = (): Uint8Array => fixture('bert.onnx_data')

/** A change of a file at some place: mostly other bytes, sometimes fewer or more, or none after it. */
const change = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .uint8Array({ minLength: 1, maxLength: 3 })
      .map((insert) => ({ insert, remove: insert.length, end: false })),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      insert: fc.uint8Array({ maxLength: 20 }),
      remove: fc.nat(20),
      end: fc.nat(9).map((n) => n === 0),
    }),
  },
)
const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })

const broken = fc
  .tuple(
    fc.constantFrom(...files),
    fc.array(fc.tuple(place, change), { minLength: 1, maxLength: 6 }),
  )
  .map(([file, changes]) =>
    changes.reduce((bytes, [at, { remove, insert, end }]) => {
      const start = Math.floor(at * bytes.length)
      const rest = end ? new Uint8Array() : bytes.subarray(start + remove)
      return new Uint8Array(Buffer.concat([bytes.subarray(0, start), insert, rest]))
    }, file),
  )

/** Does with bytes all that can be done; only our own errors may come of it. */
function tryOut(bytes: Uint8Array): 'read' | 'refused' {
  try {
    const model = readModel(bytes, external)
    writeModel(model)
    const dimensions = { batch: 2, batch_size: 3, sequence_length: 7 }
    gradientModel(model, { loss: crossEntropy(), dimensions })
    return 'read'
  } catch (error) {
    if (error instanceof OnnxError) return 'refused'
    throw error
  }
}

test(
  'whatever the bytes are, they are read or refused, at once and in little memory',
  () => {
    const end = performance.now() + 1000 * seconds
    let [runs, read, slowest, most] = [0, 0, 0, 0]
    while (performance.now() < end)
      fc.assert(
        fc.property(
          fc.oneof(
            { weight: 9, arbitrary: broken },
            { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
          ),
          (bytes) => {
            const [start, before] = [performance.now(), process.memoryUsage()]
            if (tryOut(bytes) === 'read') read++
            const after = process.memoryUsage()
            runs++
            slowest = Math.max(slowest, performance.now() - start)
            most = Math.max(most, after.arrayBuffers - before.arrayBuffers)
          },
        ),
        { numRuns: 50 },
      )
    console.info(
      `${runs} files, ${read} of them read; the slowest took ${slowest.toFixed(0)} ms, the largest ${(most / 2 ** 20).toFixed(1)} MiB`,
    )
    expect(slowest).toBeLessThan(2000)
    expect(most).toBeLessThan(64 * 2 ** 20)
  },
  1000 * seconds + 20_000,
)
