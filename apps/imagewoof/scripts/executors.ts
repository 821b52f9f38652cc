/**
 * Trains one comparison of six runs by several engines, and compares the histories bit for bit:
 * `pnpm --filter imagewoof executors [kills]`. By one process; by `--jobs 2`, killed at random moments; by GNU
 * parallel, and by a Slurm array, each if it is installed and runs. Needs a build.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { History } from '../src/run/history.ts'

const [kills = '20'] = process.argv.slice(2)
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const deploy = fileURLToPath(new URL('../deploy/slurm.sbatch', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'executors-'))
const numbers = ['0', '1', '2', '3', '4', '5']
const comparison = [
  ...[
    'compare',
    'adam',
    'diffgrad',
    '--runs',
    '2',
    '--size',
    '32',
    '--width',
    '8',
    '--epochs',
    '2',
  ],
  ...['--train-images', '200', '--validation-images', '100', '--threads', '1'],
]

const imagewoof = (...args: readonly string[]): string =>
  execFileSync(process.execPath, [main, ...args], { encoding: 'utf8' })

const plan = (name: string): string => {
  const path = join(folder, name)
  imagewoof(...comparison, '--out', path, '--plan-only')
  return path
}

/** The results of all runs, without times, by the name of the run. */
const resultsOf = (path: string): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(join(path, 'runs')).map((name) => {
      const history: History = JSON.parse(
        readFileSync(join(path, 'runs', name, 'history.json'), 'utf8'),
      )
      const epochs = history.epochs.map(({ seconds: _, imagesPerSecond: _1, ...row }) => row)
      return [name, JSON.stringify({ ...history, epochs })]
    }),
  )

const one = join(folder, 'one')
imagewoof(...comparison, '--out', one)
const expected = resultsOf(one)

/** Writes the report of a comparison, and prints how many runs equal those by one process. */
function check(engine: string, path: string): void {
  imagewoof('resume', path)
  const results = resultsOf(path)
  const equal = [...expected].filter(([name, result]) => results.get(name) === result).length
  console.log(`${engine}: ${equal} of ${expected.size} histories equal, ${results.size} runs`)
  if (equal < expected.size || results.size > expected.size) process.exitCode = 1
}

const killed = plan('killed')
const generator = xoroshiro128plus(1)
let done = 0
for (; done < Number(kills); done++) {
  const parent = spawn(process.execPath, [main, 'resume', killed, '--jobs', '2'], {
    stdio: 'ignore',
  })
  const ended = once(parent, 'exit')
  await Promise.race([ended, setTimeout(uniformInt(generator, 1000, 4000))])
  if (parent.exitCode !== null) break
  parent.kill('SIGKILL')
  await ended
}
check(`--jobs 2, killed ${done} times`, killed)

if (spawnSync('parallel', ['--version']).status === 0) {
  const path = plan('parallel')
  const each = [process.execPath, main, 'resume', path, '--trial', '{}']
  execFileSync('parallel', ['-j2', '--retries', '3', ...each, ':::', ...numbers])
  check('GNU parallel', path)
} else console.log('GNU parallel: skipped, because it is not installed')

if (spawnSync('sinfo').status === 0) {
  const path = plan('slurm')
  const log = join(folder, 'slurm-%a.log')
  execFileSync('sbatch', ['--wait', '--array=0-5', `--output=${log}`, deploy, main, path])
  check('Slurm array', path)
} else console.log('Slurm: skipped, because no controller answers')

if (process.exitCode === undefined) rmSync(folder, { recursive: true })
else console.log(`the runs are in ${folder}`)
