import { cpus, release, totalmem, type } from 'node:os'

/** The machine of a benchmark run. */
export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly gibibytes: number
  readonly system: string
  readonly node: string
  readonly v8: string
}

export const machine = (): Machine => ({
  processor: cpus()[0].model.trim(),
  cores: cpus().length,
  gibibytes: Math.round(totalmem() / 2 ** 30),
  system: `${type()} ${release()}`,
  node: process.version,
  v8: process.versions.v8,
})

/** Today's date, as YYYY-MM-DD. */
export const today = (): string => new Date().toISOString().slice(0, 10)

/** Measures for one second the share of all cores that is idle, in [0, 1]. */
export async function idleShare(): Promise<number> {
  const sum = () =>
    cpus().reduce(
      ({ idle, all }, { times }) => ({
        idle: idle + times.idle,
        all: all + Object.values(times).reduce((a, b) => a + b),
      }),
      { idle: 0, all: 0 },
    )
  const before = sum()
  await new Promise((done) => setTimeout(done, 1000))
  const after = sum()
  return (after.idle - before.idle) / (after.all - before.all)
}

/** The least share of the machine that must be idle before anything is timed. */
const leastIdle = 0.8

/**
 * Measures the idle share of the machine.
 *
 * @param busy - whether a busy machine is accepted.
 * @throws Error if less than 80 % is idle. Other work would be part of every timing.
 */
export async function requireIdle(busy: boolean): Promise<number> {
  const idle = await idleShare()
  if (idle >= leastIdle || busy) return idle
  throw new Error(
    `the machine must be at least ${100 * leastIdle} % idle, but is ${Math.round(100 * idle)} %; --busy times anyway, and marks the results`,
  )
}

/** The sentence that marks results of a busy machine; empty for others. */
export const busyMark = (idleShares: readonly number[]): string =>
  idleShares.every((idle) => idle >= leastIdle)
    ? ''
    : '\n**Measured on a busy machine: the timings contain other work.**\n'
