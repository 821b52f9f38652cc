import '@tensorflow/tfjs-backend-webgpu'
import * as tf from '@tensorflow/tfjs'
import { createStepper, type Stepper, timeSteps } from './steppers.ts'

/** What the page exposes to the benchmark, as the global `bench`. */
export interface PageBench {
  prepare(backend: string, optimizer: string, workload: string): Promise<void>
  /** The milliseconds per step. */
  time(steps: number): Promise<number>
  cost(steps: number): Promise<DispatchCost>
}

/** The work of one step before the GPU computes. */
export interface DispatchCost {
  /** Draw calls of WebGL, dispatches of WebGPU. */
  readonly programs: number
  /** Writes of data from the host. */
  readonly uploads: number
  /** Submits to the queue of WebGPU. */
  readonly submits: number
  /** Milliseconds until the call returns; on a GPU, this is before the step is done. */
  readonly issue: number
}

const counts = { programs: 0, uploads: 0, submits: 0 }

/** Wraps a method of a class that this browser may lack, so that its calls are counted. */
function countCalls<T extends object>(
  type: { readonly prototype: T } | undefined,
  method: string,
  key: keyof typeof counts,
  condition: (args: readonly unknown[]) => boolean = () => true,
): void {
  if (!type) return
  const original: unknown = Reflect.get(type.prototype, method)
  if (typeof original !== 'function') throw new TypeError(`there is no method ${method}`)
  Reflect.set(type.prototype, method, function counted(this: unknown, ...args: unknown[]): unknown {
    if (condition(args)) counts[key]++
    return Reflect.apply(original, this, args)
  })
}

const hasData = (args: readonly unknown[]): boolean => ArrayBuffer.isView(args.at(-1))

const isMapped = ([descriptor]: readonly unknown[]): boolean =>
  descriptor instanceof Object && Reflect.get(descriptor, 'mappedAtCreation') === true

/** Counts the calls of WebGL and WebGPU from now on. Must run before either is used. */
function countGpuCalls(): void {
  const { WebGL2RenderingContext: webgl, GPUQueue: queue, GPUDevice: device } = globalThis
  countCalls(webgl, 'drawElements', 'programs')
  countCalls(webgl, 'drawArrays', 'programs')
  countCalls(webgl, 'texImage2D', 'uploads', hasData)
  countCalls(webgl, 'texSubImage2D', 'uploads', hasData)
  countCalls(globalThis.GPUComputePassEncoder, 'dispatchWorkgroups', 'programs')
  countCalls(queue, 'writeBuffer', 'uploads')
  countCalls(device, 'createBuffer', 'uploads', isMapped)
  countCalls(queue, 'submit', 'submits')
}

countGpuCalls()
let stepper: Stepper | undefined

function prepared(): Stepper {
  if (stepper) return stepper
  throw new Error('call prepare first')
}

const bench: PageBench = {
  async prepare(backend, optimizer, workload) {
    if (!(await tf.setBackend(backend))) throw new Error(`this browser has no ${backend}`)
    stepper = createStepper(optimizer, workload)
  },
  time: (steps) => timeSteps(prepared(), steps),
  async cost(steps) {
    const { step, finish } = prepared()
    await finish()
    Object.assign(counts, { programs: 0, uploads: 0, submits: 0 })
    const start = performance.now()
    for (let k = 0; k < steps; k++) step()
    const issue = (performance.now() - start) / steps
    const { programs, uploads, submits } = counts
    await finish()
    return {
      programs: programs / steps,
      uploads: uploads / steps,
      submits: submits / steps,
      issue,
    }
  },
}
Object.assign(globalThis, { bench })
