import {
  Adam,
  ArraysOptimizer,
  type ArraysOptions,
  allocate,
  DiffGrad,
  DiffMod,
  DiffRGrad,
} from '@diffgrad/arrays'
import { defineRule, type UpdateRule } from '@diffgrad/core'
import { gradientAt, initialAt, type PrepareOptimizer, type Workload } from './workloads.ts'

/**
 * The memory traffic of diffGrad with almost no arithmetic: reads θ, g, m, v and the previous gradient,
 * and writes all but g, 36 bytes per parameter in float32. The memory bound of every kernel.
 */
export const touch: UpdateRule = defineRule({
  name: 'touch',
  defaults: { learningRate: 1e-9, weightDecay: 0, decay: 'l2' },
  stateNames: () => ['m', 'v', 'previousGradient'],
  coefficients: ({ learningRate }) => ({ c: learningRate }),
  update: ({ add, mul }, { g, m, v, previousGradient }, { c }) => ({
    step: mul(c, previousGradient),
    m: add(m, mul(c, g)),
    v: add(v, mul(c, g)),
    previousGradient: g,
  }),
})

type Arrays = Readonly<Record<string, Float32Array>>

interface Tensors {
  readonly parameters: Arrays
  readonly gradients: Arrays
}

function allocateTensors({ sizes }: Workload, shared: boolean): Tensors {
  const shapes = Object.fromEntries(sizes.map((size, k) => [`tensor ${k}`, [size]]))
  const tensors = allocate(shapes, { shared })
  for (const array of Object.values(tensors.parameters))
    array.set(array.map((_, i) => initialAt(i)))
  for (const array of Object.values(tensors.gradients))
    array.set(array.map((_, i) => gradientAt(i)))
  return tensors
}

const copy = (arrays: Arrays): Arrays =>
  Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, array.slice()]))

interface Optimizer {
  readonly kernel: { readonly threads: number }
  step(gradients: Arrays): unknown
}

/** @param options.own - use ordinary typed arrays, which are copied in and out, instead of the arena. */
const prepare =
  (
    create: (parameters: Arrays) => Optimizer,
    { threads = 1, own = false } = {},
  ): PrepareOptimizer =>
  async (workload) => {
    const allocated = allocateTensors(workload, threads > 1)
    const { parameters, gradients } = own
      ? { parameters: copy(allocated.parameters), gradients: copy(allocated.gradients) }
      : allocated
    const optimizer = create(parameters)
    const large = workload.sizes.some((size) => size > 250_000)
    // Workers start asynchronously, and nothing but `threads` says when they have.
    while (large && optimizer.kernel.threads < threads) {
      await new Promise((done) => setTimeout(done, 10))
    }
    return () => optimizer.step(gradients)
  }

const diffGrad = (options: ArraysOptions<object>) => (parameters: Arrays) =>
  new DiffGrad(parameters, options)
const adam = (options: ArraysOptions<object>) => (parameters: Arrays) =>
  new Adam(parameters, options)

/** This library's optimizers, in all ways they can run. */
export const optimizers: Readonly<Record<string, PrepareOptimizer>> = {
  'touch (WASM)': prepare((parameters) => new ArraysOptimizer(touch, parameters)),
  'diffGrad (WASM)': prepare(diffGrad({})),
  'diffGrad (WASM, relaxed)': prepare(diffGrad({ kernel: 'fastest' })),
  'diffGrad (WASM, 2 threads)': prepare(diffGrad({ threads: 2 }), { threads: 2 }),
  'diffGrad (WASM, own arrays)': prepare(diffGrad({}), { own: true }),
  'diffGrad (JavaScript)': prepare(diffGrad({ kernel: 'javascript' })),
  'DiffMod (WASM)': prepare((parameters) => new DiffMod(parameters)),
  'DiffRGrad (WASM)': prepare((parameters) => new DiffRGrad(parameters)),
  'Adam (WASM)': prepare(adam({})),
  'Adam (JavaScript)': prepare(adam({ kernel: 'javascript' })),
}
