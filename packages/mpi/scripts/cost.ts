import { OpenMpi } from '../src/open-mpi.ts'
import { bucketBytes, Ranks } from '../src/ranks.ts'

// What an exchange of XResNet-18's gradients costs beside a copy of the same bytes, by bucket size:
//   mpirun --bind-to none -np 2 pnpm --silent --filter @diffgrad/mpi cost

const transport = await OpenMpi.load()
const ranks = new Ranks(transport)
const gradients = new Float32Array(11_199_000).fill(1)
const copy = new Float32Array(gradients.length)
const repeats = 15

const median = (times: number[]): number => times.sort((a, b) => a - b)[times.length >> 1]

/** The median of the milliseconds that a call takes, from one barrier to its own end. */
async function milliseconds(call: () => unknown): Promise<string> {
  const times: number[] = []
  for (let i = 0; i < repeats; i++) {
    await ranks.barrier()
    const before = performance.now()
    await call()
    times.push(performance.now() - before)
  }
  const [middle, least, most] = [median(times), times[0], times[repeats - 1]]
  return `${middle.toFixed(1)} ms (${least.toFixed(1)} to ${most.toFixed(1)})`
}

const rows: (readonly [what: string, time: string])[] = [
  ['a copy', await milliseconds(() => copy.set(gradients))],
]
for (const bytes of [2 ** 16, 2 ** 18, bucketBytes, 2 ** 22, gradients.byteLength]) {
  const length = bytes / gradients.BYTES_PER_ELEMENT
  const reduce = (): void => {
    for (let at = 0; at < gradients.length; at += length)
      transport.reduceSync(gradients.subarray(at, at + length), 'sum')
  }
  rows.push([`buckets of ${(bytes / 1e6).toFixed(2)} MB`, await milliseconds(reduce)])
}
rows.push(['sumSync', await milliseconds(() => ranks.sumSync([gradients]))])
rows.push(['sum, while the event loop runs', await milliseconds(() => ranks.sum([gradients]))])
if (ranks.rank === 0) {
  const megabytes = (gradients.byteLength / 1e6).toFixed(1)
  console.log(`${megabytes} MB on ${ranks.size} ranks, median of ${repeats} (least to most)`)
  for (const [what, time] of rows) console.log(`  ${what.padEnd(32)} ${time}`)
}
await ranks.end()
