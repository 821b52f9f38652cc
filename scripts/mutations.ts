import { spawnSync } from 'node:child_process'
import { mutations } from './mutations/mutations.ts'

// Runs the conformance laws on rules with one fault each: `pnpm mutations`. Fails if a fault is not
// detected on every backend. Arguments select mutations by name.

/** The part of vitest's JSON report that is read here. */
interface VitestReport {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[]
      readonly title: string
      readonly status: string
    }[]
  }[]
}

/** Whether each law passed on each backend, with the named mutation applied, or without one. */
function runLaws(mutation = ''): ReadonlyMap<string, ReadonlyMap<string, boolean>> {
  const { stdout, stderr } = spawnSync(
    'vitest',
    ['run', '--config', 'scripts/mutations/vitest.config.ts', '--reporter=json'],
    { env: { ...process.env, MUTATION: mutation }, encoding: 'utf8', maxBuffer: 2 ** 28 },
  )
  const start = stdout.indexOf('{')
  if (start < 0) throw new Error(`${mutation}: the laws did not run\n${stderr}`)
  const { testResults }: VitestReport = JSON.parse(stdout.slice(start))
  const results = new Map<string, Map<string, boolean>>()
  for (const { ancestorTitles, title, status } of testResults.flatMap((f) => f.assertionResults)) {
    if (status !== 'passed' && status !== 'failed') continue
    const backend = ancestorTitles.join(' ')
    const passed = results.get(backend) ?? new Map<string, boolean>()
    results.set(backend, passed.set(title, status === 'passed'))
  }
  if (results.size === 0) throw new Error(`${mutation}: no law ran\n${stderr}`)
  return results
}

const names = process.argv.slice(2)
const unknown = names.find((name) => !mutations.some((mutation) => mutation.name === name))
if (unknown !== undefined) throw new RangeError(`no mutation is called ${unknown}`)
const selected = mutations.filter(({ name }) => names.length === 0 || names.includes(name))

const unmodified = runLaws()
const laws = [...new Set([...unmodified.values()].flatMap((passed) => [...passed.keys()]))]
const backends = [...unmodified.keys()]
if ([...unmodified.values()].some((passed) => [...passed.values()].includes(false))) {
  throw new Error('The laws fail without a mutation.')
}

const detected = selected.flatMap(({ name, backends: concerned = /./ }) => {
  const results = runLaws(name)
  return backends
    .filter((backend) => concerned.test(backend))
    .map((backend) => {
      const failed = laws.filter((law) => results.get(backend)?.get(law) === false)
      return [`${name}, on ${backend}`, failed] as const
    })
})
const numbered = (failed: readonly string[]): string =>
  laws.map((law, i) => (failed.includes(law) ? `${i + 1}`.padStart(2) : ' ·')).join(' ')
console.table(
  Object.fromEntries(
    detected.map(([label, failed]) => [label, { 'detected by law': numbered(failed) }]),
  ),
)
console.log(laws.map((law, i) => `${i + 1}: ${law}`).join('\n'))
const survivors = detected.filter(([, failed]) => failed.length === 0).length
console.log(
  survivors === 0
    ? `\nAll ${selected.length} mutations are detected on each backend that they concern.`
    : `\n${survivors} mutations survive.`,
)
process.exitCode = survivors === 0 ? 0 : 1
