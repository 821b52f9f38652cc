import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { bundle } from '@diffgrad/testing/bundle'
import { expect, test } from 'vitest'

// Ranks that are processes, by Open MPI. Skipped where it is missing.

const launcher = ['--oversubscribe', '--bind-to', 'none']
const environment = {
  ...process.env,
  OMPI_ALLOW_RUN_AS_ROOT: '1',
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
}

const hasMpi = (() => {
  try {
    execFileSync('mpirun', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    console.log('Skipped: mpirun is missing; install it with apt-get install openmpi-bin.')
    return false
  }
})()

interface Result {
  readonly code: number | null
  readonly output: string
}

/** Runs a command to its end. */
const run = (command: string, args: readonly string[]): Promise<Result> =>
  new Promise((resolve) => {
    const child = execFile(command, args, { env: environment }, (_, out, errors) =>
      resolve({ code: child.exitCode, output: out + errors }),
    )
  })

/** The result of each rank: a hash of weights and state, and some weights. */
function resultsOf({ output }: Result) {
  const lines = [...output.matchAll(/^rank . of .: (\w{64}) (\S+)$/gm)]
  return lines.map(([, hash, weights]) => ({
    hash,
    weights: new Float32Array(Uint8Array.from(Buffer.from(weights, 'base64')).buffer),
  }))
}

/** The results of some processes, and of one with as many batches accumulated. */
async function resultsOfBoth(size: number) {
  const program = await bundle(import.meta.url, 'rank.ts')
  const [all, alone] = await Promise.all([
    run('mpirun', [...launcher, '-np', `${size}`, 'node', program, `${size}`]),
    run('node', [program, `${size}`]),
  ])
  expect([all.code, alone.code]).toEqual([0, 0])
  const [[one], ranks] = [resultsOf(alone), resultsOf(all)]
  expect(ranks.map(({ hash }) => hash)).toEqual(Array(size).fill(ranks[0].hash))
  return { one, ranks }
}

// With clipping, EMA, Lookahead, skipped steps and a plateau.
test.skipIf(!hasMpi)('two processes equal one with accumulate 2, bit for bit', async () => {
  const { one, ranks } = await resultsOfBoth(2)
  expect(ranks).toEqual([one, one])
})

// The others by `pnpm --filter @diffgrad/mpi faults`.
const isFull = process.env.FAULTS === 'all'

test.skipIf(!hasMpi).each(isFull ? [3, 4] : [])(
  '%i processes equal one to rounding',
  async (size) => {
    const { one, ranks } = await resultsOfBoth(size)
    const largest = Math.max(...one.weights.map(Math.abs))
    const differences = one.weights.map((weight, i) => Math.abs(weight - ranks[0].weights[i]))
    const difference = Math.max(...differences) / largest
    console.log(`${size} processes differ from one by ${difference.toExponential(1)} at most`)
    expect(difference).toBeLessThan(2e-7)
  },
)

/** What happens in rank 1, and what is then told. */
const faults: Readonly<Record<string, readonly string[]>> = {
  killed: ['exited on signal 9', 'rank 0 was told to end'],
  throws: ['Error: a corrupt picture', 'rank 0 was told to end'],
  differs: ['RankError: rank 1: has small: Float32Array(4)'],
  interrupted: ['rank 0 was told to end'],
}

test.skipIf(!hasMpi).each(isFull ? Object.keys(faults) : [])(
  '%s: both ranks end within 10 s, and say why',
  async (fault) => {
    const program = await bundle(import.meta.url, 'rank.ts')
    const child = spawn('mpirun', [...launcher, '-np', '2', 'node', program, '2', fault], {
      env: environment,
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text) => {
        output += text
      })
    if (fault === 'interrupted') {
      await once(child.stdout, 'data') // It says that it waits.
      child.kill('SIGINT')
    }
    const [code] = await once(child, 'close')
    const at = Number(output.match(/fault at (\d+)/)?.[1])
    const seconds = (Date.now() - at) / 1000
    console.log(`${fault}: both have ended after ${seconds.toFixed(1)} s`)
    expect(seconds).toBeLessThan(10)
    for (const message of faults[fault]) expect(output).toContain(message)
    expect(code).not.toBe(0)
  },
)
