import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chooseSeed, closingLine, failureLines, root, runTurbo, totals } from './test-run.ts'

// `npm test`: runs every check with turbo, all of them even if one fails, and ends with one line that
// counts the tests. A check without tests that fails (lint, build) counts as one failure. Arguments go
// to turbo, e.g. `pnpm check --filter=@diffgrad/core`.

const checks = ['lint', 'build', 'test', 'lint:package', '//#test:packages']

const closingFile = join(root, '.turbo/closing-line.txt')
rmSync(closingFile, { force: true })

const seed = chooseSeed(process.env)
const seeds = seed === undefined ? 'the fixed seeds' : `SEED=${seed}`
console.log(`Running all checks with ${seeds}; only failures are printed.`)
const { status, tasks } = await runTurbo(
  [...checks, '--output-logs=errors-only', ...process.argv.slice(2)],
  { seed },
)

for (const { id, cached, suite } of tasks) {
  if (!suite) continue
  const time = cached ? 'cached' : `${suite.seconds.toFixed(0)} s`
  console.log(`${id.padEnd(32)} ${time.padStart(7)}  ${closingLine(suite)}`)
}
for (const line of failureLines(tasks)) console.log(line)
if (seed !== undefined) console.log(`SEED=${seed} npm test repeats this run.`)

const counted = totals(tasks)
// turbo may fail without a failed task, e.g. on a wrong argument.
const failed = counted.failed || (status === 0 ? 0 : 1)
const closing = closingLine({ ...counted, failed })
mkdirSync(join(root, '.turbo'), { recursive: true })
writeFileSync(closingFile, `${closing}\n`)
console.log(closing)
process.exitCode = failed > 0 ? 1 : 0
