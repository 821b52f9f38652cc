import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSeed } from '@diffgrad/testing/seed'

// Runs tasks with turbo and reads what they leave: turbo's summary of the run, and the JSON report of
// Vitest in each package (see vitest.config.ts).

/** The root of the repository. */
export const root: string = fileURLToPath(new URL('..', import.meta.url))

/** The results of one test suite: all tests of a package. */
export interface SuiteResult {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** Seconds from the first to the last test. */
  readonly seconds: number
  /** `file > title` of each failed test, or the file alone if it could not be loaded. */
  readonly failures: readonly string[]
}

/** The part of Vitest's JSON report that is read here. */
export interface Report {
  readonly startTime: number
  readonly numPassedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly endTime: number
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[]
  }[]
}

/** One task of a turbo run. */
export interface TaskResult {
  readonly id: string
  /** The folder of its package, relative to the root. */
  readonly directory: string
  readonly logFile: string
  readonly cached: boolean
  readonly succeeded: boolean
  /** The counts of its tests; undefined for a task without tests, or if they did not run to the end. */
  readonly suite: SuiteResult | undefined
}

/** The part of turbo's run summary that is read here. */
interface Summary {
  readonly tasks: readonly {
    readonly taskId: string
    readonly task: string
    readonly directory: string
    readonly logFile: string
    readonly cache: { readonly status: string }
    readonly execution?: { readonly exitCode: number | null }
  }[]
}

const summaries = join(root, '.turbo/runs')
const reportName = 'test-report.json'

/** Runs tasks with turbo, all of them even if one fails, and returns the exit code and every task. */
export async function runTurbo(
  args: readonly string[],
  { seed, quiet = false }: { readonly seed?: number | undefined; readonly quiet?: boolean } = {},
): Promise<{ readonly status: number; readonly tasks: readonly TaskResult[] }> {
  // No result of an earlier run may be counted.
  rmSync(summaries, { recursive: true, force: true })
  for (const folder of workspaceFolders()) rmSync(join(root, folder, reportName), { force: true })
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1' }
  const flags = ['--continue=always', '--summarize', '--concurrency=100%', '--log-order=grouped']
  const child = spawn('turbo', ['run', ...flags, ...args], {
    cwd: root,
    stdio: quiet ? 'ignore' : 'inherit',
    shell: process.platform === 'win32', // There turbo is a .cmd file.
    env: seed === undefined ? env : { ...env, SEED: String(seed) },
  })
  const stop = (): boolean => child.kill()
  process.once('exit', stop)
  const status = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
  process.off('exit', stop)
  const [file] = existsSync(summaries) ? readdirSync(summaries) : []
  const { tasks }: Summary = file
    ? JSON.parse(readFileSync(join(summaries, file), 'utf8'))
    : { tasks: [] }
  return { status, tasks: tasks.filter(({ execution }) => execution).map(taskResult) }
}

function taskResult(task: Summary['tasks'][number]): TaskResult {
  const { taskId: id, directory, logFile, cache, execution } = task
  return {
    id,
    directory,
    logFile,
    cached: cache.status === 'HIT',
    succeeded: execution?.exitCode === 0,
    suite:
      task.task === 'test' || id === '//#test:packages' ? readReport(task.directory) : undefined,
  }
}

/** The passed, failed and skipped tests of all tasks. A task that fails without a failed test counts as one. */
export function totals(tasks: readonly TaskResult[]): {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
} {
  const sum = (count: 'passed' | 'failed' | 'skipped'): number =>
    tasks.reduce((total, { suite }) => total + (suite?.[count] ?? 0), 0)
  return {
    passed: sum('passed'),
    failed: sum('failed') + tasks.filter(failedWithoutTest).length,
    skipped: sum('skipped'),
  }
}

/** Whether a task failed for another reason than a failed test. */
const failedWithoutTest = ({ succeeded, suite }: TaskResult): boolean =>
  !succeeded && (suite?.failed ?? 0) === 0

/** One line for each failed test and each other task that failed. */
export const failureLines = (tasks: readonly TaskResult[]): readonly string[] => [
  ...tasks.flatMap(({ id, suite }) =>
    (suite?.failures ?? []).map((failure) => `FAILED ${id}: ${failure}`),
  ),
  ...tasks.filter(failedWithoutTest).map(({ id }) => `FAILED task ${id}`),
]

/** Every folder of the workspace that may hold a report, relative to the root. */
function workspaceFolders(): readonly string[] {
  const below = ['packages', 'apps'].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => join(folder, name)),
  )
  return ['', ...below, 'benchmarks']
}

/** Reads the report of a folder; undefined if its tests did not run to the end. */
function readReport(folder: string): SuiteResult | undefined {
  const path = join(root, folder, reportName)
  return existsSync(path)
    ? suiteResult(JSON.parse(readFileSync(path, 'utf8')), join(root, folder))
    : undefined
}

/** Counts the tests of a report. A file that could not be loaded counts as one failed test. */
export function suiteResult(report: Report, folder: string): SuiteResult {
  const { startTime, numPassedTests, numPendingTests, numTodoTests, testResults } = report
  const failures = testResults.flatMap(({ name, status, assertionResults }) => {
    const file = relative(folder, name)
    const failed = assertionResults.filter((test) => test.status === 'failed')
    if (failed.length === 0 && status === 'failed') return [file]
    return failed.map(({ fullName }) => `${file} > ${fullName}`)
  })
  return {
    passed: numPassedTests,
    failed: failures.length,
    skipped: numPendingTests + numTodoTests,
    seconds: Math.max(0, ...testResults.map(({ endTime }) => endTime - startTime)) / 1000,
    failures,
  }
}

/** Formats the closing line: `N passed, N failed`, and `, N skipped` if any test was. */
export const closingLine = ({ passed, failed, skipped }: ReturnType<typeof totals>): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`

/** The seed of a run: `SEED`, or a random one if `RANDOM` is set; undefined for the fixed seeds. */
export function chooseSeed(env: NodeJS.ProcessEnv): number | undefined {
  if (env.SEED) return parseSeed(env.SEED)
  return env.RANDOM && env.RANDOM !== '0' ? randomSeed() : undefined
}

/** Draws a seed that `SEED` accepts and that is not 0, the fixed one. */
export const randomSeed = (): number => 1 + Math.floor(Math.random() * 0x7ffffffe)
