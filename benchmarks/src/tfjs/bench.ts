import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { chromiumPath } from '@diffgrad/testing/chromium'
import { Runner } from '../arrays/field.ts'
import { idleShare, type Machine, machine } from '../machine.ts'
import { openBrowser } from './chromium.ts'
import { optimizers } from './contenders.ts'
import type { Cost } from './page.ts'
import { markdown } from './report.ts'
import { networks, variables } from './workloads.ts'

/** What the steps of one optimizer took. */
export interface Timed {
  readonly optimizer: string
  /** Milliseconds a step, one for each round. */
  readonly timings: readonly number[]
  /** Of backends that hand their work to a graphics card. */
  readonly cost?: Cost
}

/** All optimizers on one workload and backend. */
export interface Measured {
  readonly backend: string
  readonly workload: string
  /** Whether it is a whole train step. */
  readonly whole: boolean
  readonly idle: number
  readonly timed: readonly Timed[]
}

/** All that was measured. */
export interface Results {
  readonly machine: Machine
  readonly date: string
  readonly rounds: number
  readonly measured: readonly Measured[]
}

/** One contender, ready to step. */
interface Ready {
  time(steps: number): Promise<number>
  end(): unknown
  cost?(steps: number): Promise<Cost>
}

/** Makes a contender ready on a backend. */
type Prepare = (optimizer: string, workload: string) => Promise<Ready>

const inNode =
  (backend: string): Prepare =>
  async (optimizer, workload) => {
    const script = fileURLToPath(new URL('run-in-node.ts', import.meta.url))
    const flags = ['--import', 'tsx', '--conditions=@diffgrad/source']
    const runner = new Runner([process.execPath, ...flags, script, backend, optimizer, workload])
    if (!(await runner.ready())) throw new Error(`${optimizer} did not start on ${backend}`)
    return runner
  }

/** How long each contender is timed in a round, in milliseconds. */
const patience = 300

async function measure(prepare: Prepare, workload: string, rounds: number): Promise<Timed[]> {
  const entries: { optimizer: string; ready: Ready; steps: number; timings: number[] }[] = []
  for (const optimizer of Object.keys(optimizers)) {
    const ready = await prepare(optimizer, workload)
    const first = await ready.time(2)
    const again = first > patience ? first : await ready.time(Math.ceil(patience / first))
    const steps = Math.max(1, Math.round(patience / again))
    entries.push({ optimizer, ready, steps, timings: [] })
  }
  for (let round = 0; round < rounds; round++)
    for (const { ready, steps, timings } of entries) timings.push(await ready.time(steps))
  const timed: Timed[] = []
  for (const { optimizer, ready, timings } of entries) {
    const cost = await ready.cost?.(4)
    await ready.end()
    timed.push({ optimizer, timings, ...(cost && { cost }) })
  }
  return timed
}

/** Measures every backend, and writes what steps took to `benchmarks/results`. */
export async function benchTfjs(rounds: number): Promise<void> {
  const browser = chromiumPath === undefined ? undefined : await openBrowser()
  if (!browser) console.error('webgl and webgpu are left out: set CHROMIUM to its path')
  const inPage =
    (backend: string): Prepare =>
    async (optimizer, workload) => {
      if (!browser) throw new Error(`${backend} needs a browser`)
      const page = await browser.page()
      await page.prepare(backend, optimizer, workload)
      return page
    }
  const backends = new Map(['cpu', 'wasm'].map((name) => [name, inNode(name)]))
  if (browser) for (const name of ['webgl', 'webgpu']) backends.set(name, inPage(name))
  const workloads = [
    ...variables.map(({ name }) => ({ workload: name, whole: false })),
    ...networks.map(({ name }) => ({ workload: name, whole: true })),
  ]
  const measured: Measured[] = []
  for (const { workload, whole } of workloads) {
    for (const [backend, prepare] of backends) {
      console.error(`${workload}, ${backend} …`) // Minutes pass.
      const idle = await idleShare()
      const timed = await measure(prepare, workload, rounds)
      measured.push({ backend, workload, whole, idle, timed })
    }
  }
  await browser?.close()
  const date = new Date().toISOString().slice(0, 10)
  const results: Results = { machine: machine(), date, rounds, measured }
  const text = markdown(results)
  const file = (extension: string): URL =>
    new URL(`../../results/tfjs.${extension}`, import.meta.url)
  writeFileSync(file('json'), `${JSON.stringify(results, undefined, 1)}\n`)
  writeFileSync(file('md'), text)
  console.log(text)
}
