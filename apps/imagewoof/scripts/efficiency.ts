/**
 * The efficiency of several processes of one core each that train one run by Open MPI, beside one process of one
 * core: `pnpm --filter imagewoof efficiency [<options of train>]`, after a build. Options of its own: `--ranks 2`,
 * `--rounds 5`, each a training by one process and one by all, and `--busy`, which measures on a busy machine, too,
 * and marks the figures. Of each training, the first epoch is left out. The default options of `train` are XResNet-18
 * on the embedded images, three epochs.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { busyMark, requireIdle } from '@diffgrad/testing/machine'
import type { History } from '../src/run/history.ts'

const { values, tokens } = parseArgs({
  options: {
    ranks: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '5' },
    busy: { type: 'boolean', default: false },
  },
  strict: false,
  tokens: true,
})
const [size, rounds] = [Number(values.ranks), Number(values.rounds)]
const own = new Set(['ranks', 'rounds', 'busy'])
const first = tokens.findIndex((token) => token.kind === 'option' && !own.has(token.name))
const options = first < 0 ? [] : process.argv.slice(2 + tokens[first].index)
const training = [
  ...['train', '--train-images', '512', '--validation-images', '64', '--batch', '32'],
  ...['--epochs', '3', '--threads', '1', '--save-every', '0', '--accumulate', `${size}`],
  ...options,
]

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'efficiency-'))
const env = { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' }

/** The images per second of a training by some processes, each bound to a core. */
function speedOf(processes: number, name: string): number {
  const path = join(folder, name)
  const launcher = ['--bind-to', 'core', '-np', `${processes}`, process.execPath, main]
  execFileSync('mpirun', [...launcher, ...training, '--out', path], { stdio: 'pipe', env })
  const history: History = JSON.parse(readFileSync(join(path, 'history.json'), 'utf8'))
  const speeds = history.epochs.slice(1).map(({ imagesPerSecond }) => imagesPerSecond)
  return speeds.reduce((a, b) => a + b) / speeds.length
}

try {
  const idle = await requireIdle(values.busy === true)
  const efficiencies: number[] = []
  for (let round = 0; round < rounds; round++) {
    const [one, all] = [speedOf(1, `one-${round}`), speedOf(size, `all-${round}`)]
    efficiencies.push(all / one / size)
    const percent = (100 * efficiencies[round]).toFixed(1)
    console.log(`${one.toFixed(1)} images/s by one, ${all.toFixed(1)} by ${size}: ${percent} %`)
  }
  const sorted = efficiencies.toSorted((a, b) => a - b).map((one) => (100 * one).toFixed(1))
  const median = sorted[rounds >> 1]
  console.log(
    `efficiency of ${size} processes of one core: ${median} % (${sorted[0]} to ${sorted[rounds - 1]})`,
  )
  console.log(busyMark([idle]))
} finally {
  rmSync(folder, { recursive: true })
}
