import { type ChildProcess, fork } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { CaseResult } from './case.ts'
import type { Verdict } from './verdict.ts'

// Reads, writes back, runs and differentiates every case of ONNX's own test suite, and prints what was
// right, refused, wrong or crashed. Cases run in child processes, so that a crash of the native runtime
// is counted. Fails if a result is wrong or a case crashed. Arguments are folders of the suite.
// In the node tests of onnx 1.23 (write-cases.py), six gradients count as wrong: of an expanded Attention
// with rows that are masked whole. The Softmax of such a row is NaN, which a Where hides, but its gradient is
// NaN, too. So it is in PyTorch.

const debian = '/usr/share/libonnx-testdata/data'
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { filter: { type: 'string' }, all: { type: 'boolean' } },
})
const folders = positionals.length > 0 ? positionals : [debian]
const filter = new RegExp(values.filter ?? '')
/** Seconds until a case counts as crashed. */
const limit = 60

/** All folders with a model and data, at any depth. */
function casesIn(folder: string): readonly string[] {
  if (existsSync(join(folder, 'model.onnx'))) return [folder]
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('test_data_set'))
    .map(({ name }) => name)
    .toSorted()
    .flatMap((name) => casesIn(join(folder, name)))
}

const cases = folders.flatMap(casesIn).filter((folder) => filter.test(folder))
if (cases.length === 0) {
  console.error(
    `No cases in ${folders.join(', ')}: install Debian's libonnx-testdata, or name a folder.`,
  )
  process.exit(1)
}

type Outcome = CaseResult | { readonly crashed: string }
const outcomes = new Map<string, Outcome>()

function startChild(): ChildProcess {
  return fork(new URL('worker.ts', import.meta.url), {
    execArgv: process.execArgv,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
}

/** Checks a case in a child process: its result, or how the child ended. */
function check(child: ChildProcess, folder: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), 1000 * limit)
    const finish = (outcome: Outcome): void => {
      clearTimeout(timer)
      child.removeAllListeners()
      resolve(outcome)
    }
    child.once('message', (result: CaseResult) => finish(result))
    child.once('exit', (code, signal) => finish({ crashed: `${signal ?? `exit ${code}`}` }))
    child.send(folder)
  })
}

const waiting = cases.values()
await Promise.all(
  Array.from({ length: Math.min(availableParallelism(), 8) }, async () => {
    let child = startChild()
    for (const folder of waiting) {
      const outcome = await check(child, folder)
      outcomes.set(folder, outcome)
      if ('crashed' in outcome) child = startChild()
    }
    child.kill()
  }),
)

/** A reason without what differs between equal refusals: names, numbers, lists. */
const kindOf = (reason: string): string =>
  reason
    .replace(/^node "[^"]*" \(([^)]*)\)/, '$1')
    .replace(/"[^"]*"/g, '"…"')
    .replace(/\[[^\]]*\]/g, '[…]')
    .replace(/-?\d+(\.\d+)?(e-?\d+)?/g, 'n')
    .slice(0, 150)

function count(aspect: keyof CaseResult): void {
  const verdicts = cases.map((folder): readonly [string, Verdict | undefined] => {
    const outcome = outcomes.get(folder)
    return [folder, outcome && 'read' in outcome ? outcome[aspect] : undefined]
  })
  const number = (verdict: Verdict['verdict']): number =>
    verdicts.filter(([, one]) => one?.verdict === verdict).length
  const columns = ['right', 'refused', 'wrong', 'skipped'] as const
  console.log(
    aspect.padEnd(12) + columns.map((verdict) => String(number(verdict)).padStart(9)).join(''),
  )
}

function list(aspect: keyof CaseResult, verdict: Verdict['verdict']): void {
  const kinds = new Map<string, string[]>()
  for (const [folder, outcome] of outcomes) {
    const one = 'read' in outcome ? outcome[aspect] : undefined
    if (one === undefined || one.verdict !== verdict) continue
    const reason = verdict === 'wrong' ? (one.reason ?? '') : kindOf(one.reason ?? '')
    kinds.set(reason, [...(kinds.get(reason) ?? []), folder.split('/').at(-1) ?? ''])
  }
  if (kinds.size === 0) return
  console.log(`\n${aspect} ${verdict}:`)
  for (const [kind, names] of [...kinds].toSorted(([, a], [, b]) => b.length - a.length)) {
    const shown = values.all ? names : names.slice(0, 2)
    console.log(`${String(names.length).padStart(5)}  ${kind}  (${shown.join(', ')})`)
  }
}

const crashed = [...outcomes].flatMap(([folder, outcome]) =>
  'crashed' in outcome ? [`${folder}: ${outcome.crashed}`] : [],
)
for (const aspect of ['read', 'outputs', 'gradients'] as const)
  for (const verdict of ['skipped', 'refused', 'wrong'] as const) list(aspect, verdict)
for (const line of crashed) console.log(`crashed: ${line}`)
console.log(`\n${cases.length} cases    right  refused    wrong  skipped`)
for (const aspect of ['read', 'outputs', 'gradients'] as const) count(aspect)
console.log(`crashed ${crashed.length}`)
const wrong = [...outcomes.values()].filter(
  (outcome) =>
    'read' in outcome &&
    [outcome.read, outcome.outputs, outcome.gradients].some(({ verdict }) => verdict === 'wrong'),
)
process.exitCode = wrong.length + crashed.length > 0 ? 1 : 0
