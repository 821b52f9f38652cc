import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  chooseSeed,
  closingLine,
  deleteReport,
  readReport,
  root,
  type SuiteResult,
  workspaceFolders,
} from './test-report.ts'

// `npm test`: runs every check with turbo, all of them even if one fails, and ends with one line that
// counts the tests. A check without tests that fails (lint, build) counts as one failure. Arguments go
// to turbo, e.g. `pnpm check --filter=@diffgrad/core`.

const checks = ['lint', 'build', 'test', 'lint:package', '//#test:packages']

/** The part of turbo's run summary that is read here. */
interface Summary {
  readonly tasks: readonly {
    readonly taskId: string
    readonly task: string
    readonly directory: string
    readonly cache: { readonly status: string }
    readonly execution?: { readonly exitCode: number | null }
  }[]
}

/** Reads the summary of the only run since `summaries` was deleted; no tasks if turbo did not start. */
function readSummary(): Summary {
  const [file] = existsSync(summaries) ? readdirSync(summaries) : []
  return file ? JSON.parse(readFileSync(join(summaries, file), 'utf8')) : { tasks: [] }
}

const summaries = join(root, '.turbo/runs')
const closingFile = join(root, '.turbo/closing-line.txt')
rmSync(summaries, { recursive: true, force: true })
rmSync(closingFile, { force: true })
for (const folder of workspaceFolders()) deleteReport(folder)

const seed = chooseSeed(process.env)
console.log(
  seed === undefined
    ? 'Running all checks with the fixed seeds; only failures are printed.'
    : `Running all checks with random seeds (SEED=${seed} repeats them); only failures are printed.`,
)
const { status } = spawnSync(
  'turbo',
  [
    ...['run', ...checks, '--continue=always', '--summarize'],
    ...['--concurrency=100%', '--output-logs=errors-only', '--log-order=grouped'],
    ...process.argv.slice(2),
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      TURBO_TELEMETRY_DISABLED: '1',
      ...(seed !== undefined && { SEED: String(seed) }),
    },
  },
)

const { tasks } = readSummary()
const suites = tasks
  .filter(({ task, taskId }) => task === 'test' || taskId === '//#test:packages')
  .map((task) => ({ ...task, result: readReport(task.directory) }))
for (const { taskId, cache, result } of suites) {
  if (!result) continue
  const time = cache.status === 'HIT' ? 'cached' : `${result.seconds.toFixed(0)} s`
  const line = closingLine(result.passed, result.failed, result.skipped)
  console.log(`${taskId.padEnd(32)} ${time.padStart(7)}  ${line}`)
}

for (const { taskId, result } of suites) {
  for (const failure of result?.failures ?? []) console.log(`FAILED ${taskId}: ${failure}`)
}
/** Tasks that failed, except those whose failed tests are counted already. */
const failedTasks = tasks.filter(
  ({ taskId, execution }) =>
    execution &&
    execution.exitCode !== 0 &&
    !suites.some((suite) => suite.taskId === taskId && (suite.result?.failed ?? 0) > 0),
)
for (const { taskId } of failedTasks) console.log(`FAILED task ${taskId}`)

const sum = (count: (result: SuiteResult) => number): number =>
  suites.reduce((total, { result }) => total + (result ? count(result) : 0), 0)
const found = sum((result) => result.failed) + failedTasks.length
const failed = found || (status === 0 ? 0 : 1) // turbo itself may fail.
const closing = closingLine(
  sum((result) => result.passed),
  failed,
  sum((result) => result.skipped),
)
mkdirSync(join(root, '.turbo'), { recursive: true })
writeFileSync(closingFile, `${closing}\n`)
if (seed !== undefined) console.log(`SEED=${seed} npm test repeats this run.`)
console.log(closing)
process.exitCode = failed > 0 ? 1 : 0
