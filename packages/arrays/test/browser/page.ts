import { laws } from '@diffgrad/testing/conformance'
import { allocate, DiffGrad, type KernelReport } from '../../src/index.ts'
import { backends } from '../conformance-adapter.ts'

/** The results of a page. */
export interface PageReport {
  /** What runs an optimizer without options. */
  readonly kernel: KernelReport
  /** The names of all backends that can run in the page. */
  readonly backends: readonly string[]
  /** How many laws were checked on each of the selected backends. */
  readonly laws: number
  readonly failures: readonly string[]
  /** How many threads moved shared parameters as one thread does; 0 if they moved differently. */
  readonly threads: number
}

async function checkLaws(names: readonly string[]): Promise<readonly string[]> {
  const failures: string[] = []
  for (const backend of backends().filter(({ name }) => names.includes(name))) {
    for (const law of laws) {
      try {
        await law.check(backend)
      } catch (error) {
        failures.push(`${backend.name}: ${law.name}: ${error}`)
      }
    }
  }
  return failures
}

async function checkThreads(): Promise<number> {
  const size = 300_000
  const results: Float32Array[] = []
  let started = 1
  for (const threads of [1, 2]) {
    const { parameters, gradients } = allocate({ w: [size] }, { shared: true })
    const optimizer = new DiffGrad(parameters, { threads })
    await optimizer.ready
    for (let t = 1; t <= 10; t++) {
      for (let i = 0; i < size; i++) gradients.w[i] = Math.cos(t * i)
      optimizer.step(gradients)
    }
    started = optimizer.kernel.threads
    results.push(parameters.w)
    optimizer.dispose()
  }
  return results[0].every((x, i) => x === results[1][i]) ? started : 0
}

/** @param names - the backends on which the laws are checked. */
const report = async (names: readonly string[]): Promise<PageReport> => ({
  kernel: new DiffGrad({ w: new Float32Array(1) }).kernel,
  backends: backends().map(({ name }) => name),
  laws: laws.length,
  failures: await checkLaws(names),
  threads: globalThis.crossOriginIsolated ? await checkThreads() : 1,
})

Object.assign(globalThis, { report })
