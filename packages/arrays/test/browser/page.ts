import { laws } from '@diffgrad/testing/conformance'
import { allocate, DiffGrad, type KernelReport } from '../../src/index.ts'
import { subjects } from '../tiers.ts'

/** What happened in a page. */
export interface Outcome {
  /** What runs an optimizer that was told nothing. */
  readonly kernel: KernelReport
  readonly subjects: readonly string[]
  /** How many laws were checked, each on every subject. */
  readonly laws: number
  readonly failures: readonly string[]
  /** How many threads moved shared parameters to where one thread moves them; 0, if elsewhere. */
  readonly threads: number
}

async function failures(): Promise<readonly string[]> {
  const found: string[] = []
  for (const subject of subjects()) {
    for (const law of laws) {
      try {
        await law.check(subject)
      } catch (error) {
        found.push(`${subject.name}: ${law.name}: ${error}`)
      }
    }
  }
  return found
}

async function threads(): Promise<number> {
  const size = 300_000
  const ends: Float32Array[] = []
  let most = 1
  for (const threads of [1, 2]) {
    const { parameters, gradients } = allocate({ w: [size] }, { shared: true })
    const optimizer = new DiffGrad(parameters, { threads })
    await optimizer.ready
    for (let t = 1; t <= 10; t++) {
      for (let i = 0; i < size; i++) gradients.w[i] = Math.cos(t * i)
      optimizer.step(gradients)
    }
    most = optimizer.kernel.threads
    ends.push(parameters.w)
    optimizer.dispose()
  }
  return ends[0].every((x, i) => x === ends[1][i]) ? most : 0
}

const outcome = async (): Promise<Outcome> => ({
  kernel: new DiffGrad({ w: new Float32Array(1) }).kernel,
  subjects: subjects().map(({ name }) => name),
  laws: laws.length,
  failures: await failures(),
  threads: globalThis.crossOriginIsolated ? await threads() : 1,
})

Object.assign(globalThis, { outcome: outcome() })
