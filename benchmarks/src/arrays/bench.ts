import { writeFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { idleShare, type Machine, machine } from '../machine.ts'
import type { Summary } from '../statistics.ts'
import { type StepTimings, timeSteps } from './field.ts'
import { type KernelTimings, timeKernels } from './kernels.ts'
import { markdown } from './report.ts'
import { coldStart, slowdownWithoutGradients } from './single.ts'
import { elementsOf, workloads } from './workloads.ts'

/** All that was measured. */
export interface Results {
  readonly machine: Machine
  readonly date: string
  readonly rounds: number
  readonly kernels: readonly {
    readonly elements: number
    readonly idle: number
    /** Nanoseconds a parameter. */
    readonly timings: KernelTimings
  }[]
  readonly steps: readonly {
    readonly workload: string
    readonly elements: number
    readonly idle: number
    /** Milliseconds a step. */
    readonly timings: StepTimings
  }[]
  /** Milliseconds. */
  readonly coldStart: Summary
  readonly slowdownWithoutGradients: number
}

/** Measures everything, and writes it to `benchmarks/results`. */
export async function benchArrays(rounds: number): Promise<void> {
  setFlagsFromString('--experimental-wasm-relaxed-simd') // For Node 20; later ones have it anyway.
  const kernels: Results['kernels'][number][] = []
  for (const elements of [1e4, 1e6, 25e6]) {
    const idle = await idleShare()
    kernels.push({ elements, idle, timings: timeKernels(elements, 3 * rounds) })
  }
  const steps: Results['steps'][number][] = []
  for (const workload of workloads) {
    const idle = await idleShare()
    console.error(`${workload.name} …`) // Minutes pass.
    const timings = await timeSteps(workload, rounds)
    steps.push({ workload: workload.name, elements: elementsOf(workload), idle, timings })
  }
  const results: Results = {
    machine: machine(),
    date: new Date().toISOString().slice(0, 10),
    rounds,
    kernels,
    steps,
    coldStart: coldStart(9),
    slowdownWithoutGradients: slowdownWithoutGradients(),
  }
  const text = markdown(results)
  const file = (extension: string): URL =>
    new URL(`../../results/arrays.${extension}`, import.meta.url)
  writeFileSync(file('json'), `${JSON.stringify(results, undefined, 1)}\n`)
  writeFileSync(file('md'), text)
  console.log(text)
}
