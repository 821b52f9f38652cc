import { Adam, type ArraysOptions, allocate, DiffGrad } from '../src/index.ts'

/**
 * What an optimizer did in a process that lacks memory, WebAssembly or threads. The argument of the process
 * is the option `threads`.
 */
export interface RestrictedReport {
  readonly kernel: Adam['kernel']
  /** The elements of parameters in allocated, shared and ordinary memory after a step. */
  readonly moved: readonly (readonly number[])[]
  /** The error of each option that cannot be granted. */
  readonly errors: readonly string[]
}

const errorOf = (make: () => unknown): string => {
  try {
    make()
    return 'none'
  } catch (error) {
    return `${error}`
  }
}

const size = 300_000
const threads = process.argv[2] === 'auto' ? 'auto' : Number(process.argv[2])
const allocated = allocate({ x: [3] })
const shared = allocate({ y: [size] }, { shared: true })
const ordinary = new Float64Array(2)
allocated.gradients.x.fill(1)
shared.gradients.y.fill(-1)
const optimizer = new DiffGrad(
  { ...allocated.parameters, ...shared.parameters, z: ordinary },
  { learningRate: 0.5, threads },
)
await optimizer.ready
optimizer.step({ ...allocated.gradients, ...shared.gradients, z: Float64Array.of(1, 2) })
const make = (options: ArraysOptions<object>) => () => new Adam(shared.parameters, options)
const report: RestrictedReport = {
  kernel: optimizer.kernel,
  moved: [allocated.parameters.x, [...new Set(shared.parameters.y)], ordinary].map((elements) =>
    Array.from(elements),
  ),
  errors: [make({ kernel: 'wasm' }), make({ threads: 2 })].map(errorOf),
}
console.log(JSON.stringify(report))
optimizer.dispose()
