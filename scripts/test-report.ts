import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

// The JSON reports that `vitest run` leaves in each package (see vitest.config.ts).

/** The root of the repository. */
export const root: string = fileURLToPath(new URL('..', import.meta.url))

/** The name of the report in the folder of a package; git ignores it, turbo caches it. */
export const reportName = 'test-report.json'

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
interface Report {
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

/** Every folder of the workspace that may hold a report, relative to the root. */
export function workspaceFolders(): readonly string[] {
  const below = ['packages', 'apps'].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => join(folder, name)),
  )
  return ['', ...below, 'benchmarks']
}

/** Deletes the report of a folder, so that none of an earlier run is counted. */
export const deleteReport = (folder: string): void =>
  rmSync(join(root, folder, reportName), { force: true })

/** Reads the report of a folder; undefined if its tests did not run to the end. */
export function readReport(folder: string): SuiteResult | undefined {
  const path = join(root, folder, reportName)
  if (!existsSync(path)) return undefined
  const report: Report = JSON.parse(readFileSync(path, 'utf8'))
  const { startTime, numPassedTests, numPendingTests, numTodoTests, testResults } = report
  const failures = testResults.flatMap(({ name, status, assertionResults }) => {
    const file = relative(join(root, folder), name)
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
export const closingLine = (passed: number, failed: number, skipped: number): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`

/** The seed of a run: `SEED`, or a random one if `RANDOM` is set; undefined for the fixed seeds. */
export function chooseSeed(env: NodeJS.ProcessEnv): number | undefined {
  if (env.SEED) return Number(env.SEED)
  return env.RANDOM && env.RANDOM !== '0' ? randomSeed() : undefined
}

/** Draws a seed that `SEED` accepts and that is not 0, the fixed one. */
export const randomSeed = (): number => 1 + Math.floor(Math.random() * 0x7ffffffe)
