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

/** Measures for one second which share of all cores is idle, in [0, 1]. */
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
