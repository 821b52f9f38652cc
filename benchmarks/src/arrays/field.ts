import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Workload } from './workloads.ts'

/** Who steps, and how their process is started. */
interface Entry {
  readonly name: string
  command(workload: Workload): readonly [file: string, ...args: string[]]
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Node 20 has relaxed SIMD only on request; later ones have it anyway. */
const flags =
  Number.parseInt(process.versions.node, 10) < 22 ? ['--experimental-wasm-relaxed-simd'] : []

const inNode =
  (module: string) =>
  (name: string): Entry => ({
    name,
    command: ({ name: workload }) => [
      process.execPath,
      ...flags,
      '--import',
      'tsx',
      '--conditions=@diffgrad/source',
      here('run-contender.ts'),
      module,
      name,
      workload,
    ],
  })

/** A Python that has PyTorch, if there is one. */
export const python = ['python3', '/usr/bin/python3'].find((file) => {
  try {
    execFileSync(file, ['-c', 'import torch'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})

const inTorch = (name: string): readonly Entry[] =>
  python === undefined
    ? []
    : [
        {
          name,
          command: ({ sizes }) => [
            python,
            here('contenders/pytorch.py'),
            name,
            JSON.stringify(sizes),
          ],
        },
      ]

/** Everyone who is there. */
const field: readonly Entry[] = [
  ...[
    'touch (WASM)',
    'diffGrad (WASM)',
    'diffGrad (WASM, relaxed)',
    'diffGrad (WASM, 2 threads)',
    'diffGrad (WASM, own arrays)',
    'diffGrad (JavaScript)',
    'DiffMod (WASM)',
    'DiffRGrad (WASM)',
    'Adam (WASM)',
    'Adam (JavaScript)',
  ].map(inNode('ours')),
  ...['tf.train.adam (wasm)', 'tf.train.adam (cpu)'].map(inNode('tfjs')),
  inNode('jax')('jax-js Adam (jit, wasm)'),
  ...['torch.optim.Adam', 'torch.optim.Adam (foreach)', 'torch diffGrad (eager)'].flatMap(inTorch),
]

/** A contender at the start. */
export class Runner {
  readonly #process: ChildProcessWithoutNullStreams
  readonly #lines: AsyncIterator<string>

  constructor([file, ...args]: readonly [file: string, ...args: string[]]) {
    this.#process = spawn(file, args)
    this.#process.stderr.resume()
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]()
  }

  /** Whether it is ready; if not, it ended. */
  async ready(): Promise<boolean> {
    for (;;) {
      const { value, done } = await this.#lines.next()
      if (done || value === 'ready') return !done
    }
  }

  /** Milliseconds a step. */
  async time(steps: number): Promise<number> {
    this.#process.stdin.write(`${steps}\n`)
    const { value } = await this.#lines.next()
    return Number(value)
  }

  /** The most memory that was resident, in bytes, of those that tell. */
  async memory(): Promise<number> {
    this.#process.stdin.write('memory\n')
    const { value } = await this.#lines.next()
    return Number(value)
  }

  end(): void {
    this.#process.kill()
  }
}

/** How long a step took in each round, in milliseconds. */
export type StepTimings = Readonly<Record<string, readonly number[]>>

/** How long each contender is timed in a round, in milliseconds. */
const patience = 150

/** Times everyone on a workload, one at a time, round by round. */
export async function timeSteps(workload: Workload, rounds: number): Promise<StepTimings> {
  const runners: { name: string; runner: Runner; steps: number; timings: number[] }[] = []
  for (const { name, command } of field) {
    const runner = new Runner(command(workload))
    if (!(await runner.ready())) {
      console.error(`${name} did not start`)
      continue
    }
    const first = await runner.time(2)
    const again = first > 1000 ? first : await runner.time(Math.ceil(patience / first))
    const steps = Math.max(1, Math.round(patience / again))
    runners.push({ name, runner, steps, timings: [] })
  }
  for (let round = 0; round < rounds; round++) {
    for (const { runner, steps, timings } of runners) timings.push(await runner.time(steps))
  }
  for (const { runner } of runners) runner.end()
  return Object.fromEntries(runners.map(({ name, timings }) => [name, timings]))
}
