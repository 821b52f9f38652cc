import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { bundle } from '@diffgrad/testing/bundle'
import { expect, test } from 'vitest'

// Ranks that are processes, by Open MPI. Skipped where it is missing.

const launcher = ['--oversubscribe', '--bind-to', 'none', '-np', '2']
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

test.skipIf(!hasMpi)('two processes equal one with accumulate 2, bit for bit', async () => {
  const program = await bundle(import.meta.url, 'rank.ts')
  const [two, one] = await Promise.all([
    run('mpirun', [...launcher, 'node', program]),
    run('node', [program]),
  ])
  const hashes = [...two.output.matchAll(/^rank . of 2: (\w{64})$/gm)].map(([, hash]) => hash)
  expect(one.output).toContain(`rank 0 of 1: ${hashes[0]}`)
  expect(hashes).toEqual([hashes[0], hashes[0]])
  expect([two.code, one.code]).toEqual([0, 0])
})

/** What happens in rank 1, and what is then told. */
const faults: Readonly<Record<string, readonly string[]>> = {
  killed: ['exited on signal 9', 'rank 0 was told to end'],
  throws: ['Error: a corrupt picture', 'rank 0 was told to end'],
  differs: ['RankError: rank 1: has small: Float32Array(4)'],
  interrupted: ['rank 0 was told to end'],
}

// By `pnpm --filter @diffgrad/mpi faults`.
const selected = process.env.FAULTS === 'all' ? Object.keys(faults) : []

test.skipIf(!hasMpi).each(selected)('both ranks end, and say why, if one is %s', async (fault) => {
  const program = await bundle(import.meta.url, 'rank.ts')
  const child = spawn('mpirun', [...launcher, 'node', program, fault], { env: environment })
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
  for (const message of faults[fault]) expect(output).toContain(message)
  expect(code).not.toBe(0)
})
