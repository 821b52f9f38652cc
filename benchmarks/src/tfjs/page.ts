import '@tensorflow/tfjs-backend-webgpu'
import * as tf from '@tensorflow/tfjs'
import { type Calls, callsOf, watch } from './calls.ts'
import { type Contender, contenderOf, timed } from './contenders.ts'

/** What a step costs beside its time. */
export interface Cost extends Calls {
  /** Milliseconds until the call returns, on a graphics card long before the step is done. */
  readonly issue: number
}

/** What the page lets the benchmark do. */
export interface Bench {
  prepare(backend: string, optimizer: string, workload: string): Promise<void>
  time(steps: number): Promise<number>
  cost(steps: number): Promise<Cost>
}

watch()
let contender: Contender | undefined

const there = (): Contender => {
  if (contender) return contender
  throw new Error('nothing is prepared')
}

const bench: Bench = {
  async prepare(backend, optimizer, workload) {
    if (!(await tf.setBackend(backend))) throw new Error(`there is no ${backend} here`)
    contender = contenderOf(optimizer, workload)
  },
  time: (steps) => timed(there(), steps),
  async cost(steps) {
    const { step, settle } = there()
    await settle()
    callsOf(1)
    const start = performance.now()
    for (let k = 0; k < steps; k++) step()
    const issue = (performance.now() - start) / steps
    const calls = callsOf(steps)
    await settle()
    return { issue, ...calls }
  },
}
Object.assign(globalThis, { bench })
