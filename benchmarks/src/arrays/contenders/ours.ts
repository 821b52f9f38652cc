import {
  Adam,
  ArraysOptimizer,
  type ArraysOptions,
  allocate,
  DiffGrad,
  DiffMod,
  DiffRGrad,
} from '@diffgrad/arrays'
import { touch } from '../touch.ts'
import { gradientAt, startAt, type Workload } from '../workloads.ts'
import type { Prepare } from './contender.ts'

interface Ready {
  readonly parameters: Readonly<Record<string, Float32Array>>
  readonly gradients: Readonly<Record<string, Float32Array>>
}

function filled({ sizes }: Workload, shared: boolean): Ready {
  const shapes = Object.fromEntries(sizes.map((size, k) => [`tensor ${k}`, [size]]))
  const ready = allocate(shapes, { shared })
  for (const array of Object.values(ready.parameters)) array.set(array.map((_, i) => startAt(i)))
  for (const array of Object.values(ready.gradients)) array.set(array.map((_, i) => gradientAt(i)))
  return ready
}

const copied = (arrays: Ready['parameters']): Ready['parameters'] =>
  Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, array.slice()]))

interface Stepping {
  readonly kernel: { readonly threads: number }
  step(gradients: Ready['gradients']): unknown
}

const ours =
  (
    start: (parameters: Ready['parameters']) => Stepping,
    { threads = 1, own = false } = {},
  ): Prepare =>
  async (workload) => {
    const allocated = filled(workload, threads > 1)
    const { parameters, gradients } = own
      ? { parameters: copied(allocated.parameters), gradients: copied(allocated.gradients) }
      : allocated
    const optimizer = start(parameters)
    const large = workload.sizes.some((size) => size > 250_000)
    while (large && optimizer.kernel.threads < threads) {
      await new Promise((done) => setTimeout(done, 10))
    }
    return () => optimizer.step(gradients)
  }

const diffGrad = (options: ArraysOptions<object>) => (parameters: Ready['parameters']) =>
  new DiffGrad(parameters, options)
const adam = (options: ArraysOptions<object>) => (parameters: Ready['parameters']) =>
  new Adam(parameters, options)

/** This project, in all the ways it can be run. */
export const contenders: Readonly<Record<string, Prepare>> = {
  'touch (WASM)': ours((parameters) => new ArraysOptimizer(touch, parameters)),
  'diffGrad (WASM)': ours(diffGrad({})),
  'diffGrad (WASM, relaxed)': ours(diffGrad({ kernel: 'fastest' })),
  'diffGrad (WASM, 2 threads)': ours(diffGrad({ threads: 2 }), { threads: 2 }),
  'diffGrad (WASM, own arrays)': ours(diffGrad({}), { own: true }),
  'diffGrad (JavaScript)': ours(diffGrad({ kernel: 'javascript' })),
  'DiffMod (WASM)': ours((parameters) => new DiffMod(parameters)),
  'DiffRGrad (WASM)': ours((parameters) => new DiffRGrad(parameters)),
  'Adam (WASM)': ours(adam({})),
  'Adam (JavaScript)': ours(adam({ kernel: 'javascript' })),
}
