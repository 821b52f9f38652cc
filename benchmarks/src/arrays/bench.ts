import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { allocate, DiffGrad } from '@diffgrad/arrays'
import { idleShare, machine, today } from '@diffgrad/testing/machine'
import { BenchmarkProcess, scriptCommand, stepsPerRound, timeRounds } from '../child-process.ts'
import { formatDigits, type Summary, summarize, writeResults } from '../report.ts'
import { timeKernels } from './kernels.ts'
import { findPeers } from './peers.ts'
import { type ArraysResults, arraysMarkdown, type Timings } from './report.ts'
import { elementCount, type Workload, workloads } from './workloads.ts'

/** Measures kernels and whole steps over typed arrays, and writes the results. */
export async function benchArrays(rounds: number): Promise<void> {
  setFlagsFromString('--experimental-wasm-relaxed-simd') // For Node 20; later versions have it.
  const kernels: ArraysResults['kernels'][number][] = []
  for (const elements of [1e4, 1e6, 25e6]) {
    const idle = await idleShare()
    kernels.push({ elements, idle, timings: timeKernels(elements, 3 * rounds) })
  }
  const steps: ArraysResults['steps'][number][] = []
  for (const workload of workloads) {
    const idle = await idleShare()
    console.error(`${workload.name} …`) // Progress, because this takes minutes.
    const timed = await timeWorkload(workload, rounds)
    steps.push({ workload: workload.name, elements: elementCount(workload), idle, ...timed })
  }
  const results: ArraysResults = {
    machine: machine(),
    date: today(),
    rounds,
    kernels,
    steps,
    coldStart: coldStart(9),
    slowdownWithoutGradients: slowdownWithoutGradients(),
  }
  writeResults('arrays', results, arraysMarkdown(results))
}

/** The longest step that is timed, in milliseconds, so that all rounds end within ten minutes. */
const longestStep = 2000

/** The milliseconds of a step after the first one, which compiles and allocates. */
async function timeSecondStep(timed: BenchmarkProcess): Promise<number> {
  await timed.time(1)
  return timed.time(1)
}

/** The milliseconds per step of every optimizer that starts, and why others are left out. */
async function timeWorkload(
  workload: Workload,
  rounds: number,
): Promise<{ readonly timings: Timings; readonly leftOut: Readonly<Record<string, string>> }> {
  const leftOut: Record<string, string> = {}
  const entries: { name: string; timed: BenchmarkProcess; steps: number }[] = []
  for (const { name, command } of findPeers()) {
    const timed = new BenchmarkProcess(command(workload))
    const step = (await timed.ready()) ? await timeSecondStep(timed) : Number.NaN
    if (step <= longestStep) {
      entries.push({ name, timed, steps: await stepsPerRound(timed, 150) })
    } else {
      timed.end()
      leftOut[name] = Number.isNaN(step)
        ? 'it did not start'
        : `a step takes ${formatDigits(step / 1000)} s, longer than ${longestStep / 1000} s`
    }
  }
  const finished = await timeRounds(entries, rounds)
  for (const { timed } of entries) timed.end()
  return {
    timings: Object.fromEntries(finished.map(({ name, timings }) => [name, timings])),
    leftOut,
  }
}

/** The milliseconds from construction to the end of the first step, in fresh processes. */
function coldStart(processes: number): Summary {
  const [file, ...args] = scriptCommand(fileURLToPath(new URL('cold-start.ts', import.meta.url)))
  return summarize(
    Array.from({ length: processes }, () => Number(execFileSync(file, args).toString())),
  )
}

/**
 * The time of the last 300 of 3000 steps with zero gradients, relative to the first 300. Averages decay
 * into denormal numbers, which must not slow the kernel down.
 */
function slowdownWithoutGradients(): number {
  const { parameters, gradients } = allocate({ w: [100_000] })
  gradients.w.fill(1)
  const optimizer = new DiffGrad(parameters)
  for (let t = 0; t < 100; t++) optimizer.step(gradients)
  gradients.w.fill(0)
  const timings = Array.from({ length: 3000 }, () => {
    const start = performance.now()
    optimizer.step(gradients)
    return performance.now() - start
  })
  return summarize(timings.slice(-300)).median / summarize(timings.slice(0, 300)).median
}
