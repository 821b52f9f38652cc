import { spawnSync } from 'node:child_process'
import { mutations } from './mutations/mutations.ts'

// Runs the laws against the rules with one fault each: `pnpm mutations`. No fault may go unnoticed.

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[]
      readonly title: string
      readonly status: string
    }[]
  }[]
}

/** The laws that hold, or fail, on each backend, with a fault in the sources; none without a name. */
function judge(mutation: string): ReadonlyMap<string, ReadonlyMap<string, boolean>> {
  const { stdout, stderr } = spawnSync(
    'vitest',
    ['run', '--config', 'scripts/mutations/vitest.config.ts', '--reporter=json'],
    { env: { ...process.env, MUTATION: mutation }, encoding: 'utf8', maxBuffer: 2 ** 28 },
  )
  const start = stdout.indexOf('{')
  if (start < 0) throw new Error(`${mutation}: the laws did not run\n${stderr}`)
  const { testResults }: Report = JSON.parse(stdout.slice(start))
  const held = new Map<string, Map<string, boolean>>()
  for (const { ancestorTitles, title, status } of testResults.flatMap((f) => f.assertionResults)) {
    if (status !== 'passed' && status !== 'failed') continue
    const backend = ancestorTitles.join(' ')
    const laws = held.get(backend) ?? new Map<string, boolean>()
    held.set(backend, laws.set(title, status === 'passed'))
  }
  if (held.size === 0) throw new Error(`${mutation}: no law was judged\n${stderr}`)
  return held
}

const sound = judge('')
const laws = [...new Set([...sound.values()].flatMap((held) => [...held.keys()]))]
const backends = [...sound.keys()]
if ([...sound.values()].some((held) => [...held.values()].includes(false))) {
  throw new Error('The laws must hold before a fault is put in.')
}

const noticed = mutations.flatMap(({ name }) => {
  const judged = judge(name)
  return backends.map((backend) => {
    const failed = laws.filter((law) => judged.get(backend)?.get(law) === false)
    return [`${name}, on ${backend}`, failed] as const
  })
})
const numbered = (failed: readonly string[]): string =>
  laws.map((law, i) => (failed.includes(law) ? `${i + 1}`.padStart(2) : ' ·')).join(' ')
console.table(
  Object.fromEntries(noticed.map(([on, failed]) => [on, { 'noticed by law': numbered(failed) }])),
)
console.log(laws.map((law, i) => `${i + 1}: ${law}`).join('\n'))
const survivors = noticed.filter(([, failed]) => failed.length === 0).length
console.log(
  survivors === 0
    ? `\nAll ${mutations.length} faults are noticed on each of ${backends.length} backends.`
    : `\n${survivors} faults survive.`,
)
process.exitCode = survivors === 0 ? 0 : 1
