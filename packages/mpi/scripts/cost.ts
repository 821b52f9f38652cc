/**
 * The time of an exchange of gradients beside a copy of the same bytes, by the bytes of a bucket, by Open MPI:
 * `pnpm --filter @diffgrad/mpi cost`. Options: `--ranks 2,4`, `--megabytes 44.8` (XResNet-18), `--repeats 15`, and
 * `--busy`, which measures on a busy machine, too, and marks the figures.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { busyMark, requireIdle } from '@diffgrad/testing/machine'
import { OpenMpi } from '../src/open-mpi.ts'
import { bucketBytes, Ranks } from '../src/ranks.ts'

const { values } = parseArgs({
  options: {
    ranks: { type: 'string', default: '2,4' },
    megabytes: { type: 'string', default: '44.8' },
    repeats: { type: 'string', default: '15' },
    busy: { type: 'boolean', default: false },
  },
})
const repeats = Number(values.repeats)

/** Starts this program on as many ranks as each of the option's numbers. */
async function launch(): Promise<void> {
  const idle = await requireIdle(values.busy)
  for (const size of values.ranks.split(',')) {
    const launcher = ['--oversubscribe', '--bind-to', 'none', '-np', size]
    const program = [process.execPath, ...process.execArgv, fileURLToPath(import.meta.url)]
    const env = {
      ...process.env,
      OMPI_ALLOW_RUN_AS_ROOT: '1',
      OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
    }
    const args = [...launcher, ...program, ...process.argv.slice(2)]
    const { status, error } = spawnSync('mpirun', args, { stdio: 'inherit', env })
    if (error) throw error
    if (status !== 0) process.exitCode = 1
  }
  console.log(busyMark([idle]))
}

/** The time from a barrier to the end of a call on this rank: its median, least and most. */
async function timeOf(ranks: Ranks, call: () => unknown): Promise<readonly number[]> {
  const times: number[] = []
  for (let i = 0; i < repeats; i++) {
    await ranks.barrier()
    const before = performance.now()
    await call()
    times.push(performance.now() - before)
  }
  times.sort((a, b) => a - b)
  return [times[repeats >> 1], times[0], times[repeats - 1]]
}

/** Measures as one of the ranks. The first one prints. */
async function measure(): Promise<void> {
  const transport = await OpenMpi.load()
  const ranks = new Ranks(transport)
  const gradients = new Float32Array(Math.round((Number(values.megabytes) * 1e6) / 4)).fill(1)
  const copy = new Float32Array(gradients.length)
  const inBuckets = (bytes: number) => (): void => {
    const length = bytes / gradients.BYTES_PER_ELEMENT
    for (let at = 0; at < gradients.length; at += length)
      transport.reduceSync(gradients.subarray(at, at + length), 'sum')
  }
  const sizes = [2 ** 16, 2 ** 18, bucketBytes, 2 ** 22, 2 ** 24, gradients.byteLength]
  const calls: readonly (readonly [what: string, call: () => unknown])[] = [
    ['a copy', () => copy.set(gradients)],
    ...sizes.map(
      (bytes) => [`buckets of ${(bytes / 1e6).toFixed(2)} MB`, inBuckets(bytes)] as const,
    ),
    ['sumSync', () => ranks.sumSync([gradients])],
    ['sum, while the event loop runs', () => ranks.sum([gradients])],
  ]
  const print = (text: string): void => {
    if (ranks.rank === 0) console.log(text)
  }
  const megabytes = (gradients.byteLength / 1e6).toFixed(1)
  print(`${megabytes} MB on ${ranks.size} ranks, median of ${repeats} (least to most)`)
  let copies = 0
  for (const [what, call] of calls) {
    const [median, least, most] = await timeOf(ranks, call)
    copies ||= median
    const range = `${median.toFixed(1)} ms (${least.toFixed(1)} to ${most.toFixed(1)})`
    print(`  ${what.padEnd(32)} ${range.padEnd(30)} ${(median / copies).toFixed(1)} copies`)
  }
  await ranks.end()
}

await (process.env.OMPI_COMM_WORLD_RANK === undefined ? launch() : measure())
