import { fileURLToPath } from 'node:url'
import { chromiumPath } from '@diffgrad/testing/chromium'
import { idleShare, machine, today } from '@diffgrad/testing/machine'
import {
  BenchmarkProcess,
  scriptCommand,
  stepsPerRound,
  type TimedOptimizer,
  timeRounds,
} from '../child-process.ts'
import { writeResults } from '../report.ts'
import { startBrowser } from './browser.ts'
import type { DispatchCost } from './page.ts'
import {
  type Measurement,
  type OptimizerTimings,
  type TfjsResults,
  tfjsMarkdown,
} from './report.ts'
import { optimizers } from './steppers.ts'
import { networks, variableSets } from './workloads.ts'

/** One optimizer on one workload, in a process or a page. */
interface Host extends TimedOptimizer {
  end(): unknown
  cost?(steps: number): Promise<DispatchCost>
}

type StartHost = (optimizer: string, workload: string) => Promise<Host>

const inNode =
  (backend: string): StartHost =>
  async (optimizer, workload) => {
    const script = fileURLToPath(new URL('run-in-node.ts', import.meta.url))
    const host = new BenchmarkProcess(scriptCommand(script, backend, optimizer, workload))
    if (!(await host.ready())) throw new Error(`${optimizer} did not start on ${backend}`)
    return host
  }

/** Measures steps on every backend of TensorFlow.js, and writes the results. */
export async function benchTfjs(rounds: number): Promise<void> {
  const browser = chromiumPath === undefined ? undefined : await startBrowser()
  const backends = new Map(['cpu', 'wasm'].map((name) => [name, inNode(name)]))
  if (browser) {
    for (const backend of ['webgl', 'webgpu']) {
      backends.set(backend, async (optimizer, workload) => {
        const page = await browser.openPage()
        await page.prepare(backend, optimizer, workload)
        return page
      })
    }
  } else console.error('webgl and webgpu are skipped: set CHROMIUM to the path of Chromium')
  const workloads = [
    ...variableSets.map(({ name }) => ({ workload: name, trainStep: false })),
    ...networks.map(({ name }) => ({ workload: name, trainStep: true })),
  ]
  const measurements: Measurement[] = []
  for (const { workload, trainStep } of workloads) {
    for (const [backend, startHost] of backends) {
      console.error(`${workload}, ${backend} …`) // Progress, because this takes minutes.
      const idle = await idleShare()
      const optimizers = await timeOptimizers(startHost, workload, rounds)
      measurements.push({ backend, workload, trainStep, idle, optimizers })
    }
  }
  await browser?.close()
  const results: TfjsResults = { machine: machine(), date: today(), rounds, measurements }
  writeResults('tfjs', results, tfjsMarkdown(results))
}

async function timeOptimizers(
  startHost: StartHost,
  workload: string,
  rounds: number,
): Promise<readonly OptimizerTimings[]> {
  const entries: { optimizer: string; timed: Host; steps: number }[] = []
  for (const optimizer of Object.keys(optimizers)) {
    const timed = await startHost(optimizer, workload)
    entries.push({ optimizer, timed, steps: await stepsPerRound(timed, 300) })
  }
  const results: OptimizerTimings[] = []
  for (const { optimizer, timed, timings } of await timeRounds(entries, rounds)) {
    const cost = await timed.cost?.(4)
    await timed.end()
    results.push({ optimizer, timings, ...(cost && { cost }) })
  }
  return results
}
