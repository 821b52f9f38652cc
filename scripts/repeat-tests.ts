import { type ChildProcess, spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  closingLine,
  failureLines,
  randomSeed,
  root,
  runTurbo,
  type TaskResult,
  totals,
} from './test-run.ts'

// `pnpm repeat-tests --runs 20 --busy 10 --random 10`: runs all test suites many times, none from a cache,
// to find tests that fail without a fault. The first `--busy` runs share the machine with two busy loops;
// the last `--random` runs have random seeds, so a run may be both. Logs of failed runs are kept in
// repeated-tests/. Other arguments after `--` go to turbo, e.g. `-- --filter=@diffgrad/core`.

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '20' },
    busy: { type: 'string', default: '0' },
    random: { type: 'string', default: '0' },
  },
})

function count(name: keyof typeof values): number {
  const value = Number(values[name])
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new RangeError(
    `repeat-tests: --${name} must be a whole number, at least 0, but is ${values[name]}`,
  )
}
const [runs, busyRuns, randomRuns] = [count('runs'), count('busy'), count('random')]

const busyLoops = new Set<ChildProcess>()

function startBusyLoops(): void {
  for (let i = 0; i < 2; i++) {
    busyLoops.add(
      spawn('nice', ['-n', '0', 'sh', '-c', 'while :; do :; done'], { stdio: 'ignore' }),
    )
  }
}

function stopBusyLoops(): void {
  for (const loop of busyLoops) loop.kill('SIGKILL')
  busyLoops.clear()
}

process.on('exit', stopBusyLoops)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => process.exit(1))
}

const logs = join(root, 'repeated-tests')

/** Copies the logs of the tasks that failed in a run, with a list of the failed tests. */
function keepLogs(run: string, tasks: readonly TaskResult[]): void {
  const folder = join(logs, run)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'failures.txt'), `${failureLines(tasks).join('\n')}\n`)
  for (const { id, logFile, succeeded } of tasks) {
    const log = join(root, logFile)
    if (!succeeded && existsSync(log)) {
      copyFileSync(log, join(folder, `${id.replaceAll(/[^\w.-]+/g, '-')}.log`))
    }
  }
}

const minutes = (milliseconds: number): string => `${(milliseconds / 60_000).toFixed(1)} min`

rmSync(logs, { recursive: true, force: true })
const begin = performance.now()
// The packed packages need a build; test suites run the sources.
const build = await runTurbo(['build', '--output-logs=errors-only'])
if (build.status !== 0) throw new Error('repeat-tests: the build failed')

const results: string[] = []
let failedRuns = 0
for (let i = 1; i <= runs; i++) {
  const busy = i <= busyRuns
  const seed = i > runs - randomRuns ? randomSeed() : undefined
  const start = performance.now()
  if (busy) startBusyLoops()
  const { status, tasks } = await runTurbo(
    ['test', '//#test:packages', '--only', '--force', ...positionals],
    { seed, quiet: true },
  )
  stopBusyLoops()
  const failed = status !== 0
  const name = `run-${String(i).padStart(2, '0')}`
  if (failed) {
    failedRuns++
    keepLogs(name, tasks)
  }
  const kind = `${busy ? 'two busy loops' : 'quiet'}, ${seed === undefined ? 'fixed seeds' : `SEED=${seed}`}`
  const result = `${name}: ${minutes(performance.now() - start)}, ${kind}: ${closingLine(totals(tasks))}`
  results.push(result, ...failureLines(tasks).map((line) => `  ${line}`))
  console.log([result, ...failureLines(tasks).map((line) => `  ${line}`)].join('\n'))
}

console.log(`\n${results.join('\n')}`)
console.log(
  `${runs} runs in ${minutes(performance.now() - begin)}: ${runs - failedRuns} without a failure, ${failedRuns} with one${failedRuns > 0 ? '; logs in repeated-tests/' : ''}`,
)
process.exitCode = failedRuns === 0 ? 0 : 1
