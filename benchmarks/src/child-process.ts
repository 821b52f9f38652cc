import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

// Each optimizer is timed in a process of its own. The protocol: the child prints "ready". For each
// line with a number of steps, it prints the milliseconds per step; for "memory", its peak memory.

/** The command line of a child process. */
export type Command = readonly [file: string, ...args: string[]]

/** Environment variables of a child process, beside those of this one. */
export type Environment = Readonly<Record<string, string>>

/**
 * Makes glibc keep freed memory. By default it returns large blocks to the kernel, so that a step pays for
 * the page faults of all its temporary arrays.
 */
export const keptMemory: Environment = {
  MALLOC_MMAP_MAX_: '0',
  MALLOC_TRIM_THRESHOLD_: '4294967296',
}

/** Node 20 needs a flag for relaxed SIMD; later versions do not. */
const nodeFlags =
  Number.parseInt(process.versions.node, 10) < 22 ? ['--experimental-wasm-relaxed-simd'] : []

/** The command that runs a TypeScript file of the workspace. */
export const scriptCommand = (file: string, ...args: readonly string[]): Command => [
  process.execPath,
  ...nodeFlags,
  ...['--import', 'tsx', '--conditions=@diffgrad/source', file],
  ...args,
]

/** Finds a Python that has PyTorch. */
export const findPyTorch = (): string | undefined =>
  ['python3', '/usr/bin/python3'].find((file) => {
    try {
      execFileSync(file, ['-c', 'import torch'], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })

/** The parent's end of the protocol. */
export class BenchmarkProcess {
  readonly #process: ChildProcessWithoutNullStreams
  readonly #lines: AsyncIterator<string>

  constructor([file, ...args]: Command, environment: Environment = {}) {
    this.#process = spawn(file, args, { env: { ...process.env, ...environment } })
    this.#process.stderr.resume()
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]()
  }

  /** Resolves to true when the child is ready, and to false if it ended instead. */
  async ready(): Promise<boolean> {
    for (;;) {
      const { value, done } = await this.#lines.next()
      if (done || value === 'ready') return !done
    }
  }

  /** Measures the milliseconds per step. */
  time(steps: number): Promise<number> {
    return this.#ask(`${steps}`)
  }

  /** The child's peak memory, in bytes. Not every child answers. */
  peakMemory(): Promise<number> {
    return this.#ask('memory')
  }

  end(): void {
    this.#process.kill()
  }

  async #ask(request: string): Promise<number> {
    this.#process.stdin.write(`${request}\n`)
    const { value } = await this.#lines.next()
    return Number(value)
  }
}

/**
 * The child's end of the protocol.
 *
 * @param time - takes a number of steps, and returns the milliseconds per step.
 */
export async function serveTimings(time: (steps: number) => Promise<number>): Promise<void> {
  console.log('ready')
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'memory') console.log(1024 * process.resourceUsage().maxRSS)
    else console.log(await time(Number(line)))
  }
}

/** Measures the milliseconds per step. */
export async function timeSteps(step: () => unknown, steps: number): Promise<number> {
  const start = performance.now()
  for (let k = 0; k < steps; k++) await step()
  return (performance.now() - start) / steps
}

/** What `timeRounds` needs of an optimizer: in a child process, or in a page. */
export interface TimedOptimizer {
  time(steps: number): Promise<number>
}

/**
 * Chooses how many steps to time per round, so that they take about `milliseconds`; warms up on the
 * way.
 */
export async function stepsPerRound(
  optimizer: TimedOptimizer,
  milliseconds: number,
): Promise<number> {
  const first = await optimizer.time(2)
  const longer =
    first > milliseconds ? first : await optimizer.time(Math.ceil(milliseconds / first))
  return Math.max(1, Math.round(milliseconds / longer))
}

/** Times entries one after the other, round by round, so that slow moments affect all of them. */
export async function timeRounds<
  E extends { readonly timed: TimedOptimizer; readonly steps: number },
>(
  entries: readonly E[],
  rounds: number,
): Promise<readonly (E & { readonly timings: readonly number[] })[]> {
  const timings: number[][] = entries.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (const [i, { timed, steps }] of entries.entries()) timings[i].push(await timed.time(steps))
  }
  return entries.map((entry, i) => ({ ...entry, timings: timings[i] }))
}
