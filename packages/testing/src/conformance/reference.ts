import {
  type ArrayLists,
  arraySignature,
  type Backend,
  centralizeRows,
  euclideanNorm,
  type Hyperparameters,
  type Kernel,
  numbers,
  Optimizer,
  type OptimizerOptions,
  type SavedArray,
  type UpdateRule,
  type Values,
} from '@diffgrad/core'
import type {
  BackendUnderTest,
  NamedNumbers,
  OptimizerSpec,
  TestRun,
} from './backend-under-test.ts'

/** The elements of a parameter or gradient, rounded to a data type. */
interface Numbers {
  readonly dtype: 'float32' | 'float64'
  readonly values: number[]
}

const zeros: Backend<Numbers>['zeros'] = (like, names) =>
  Object.fromEntries(
    names.map((name) => [
      name,
      like.map(({ dtype, values }) => ({ dtype, values: values.map(() => 0) })),
    ]),
  )

/** Evaluates the rules number by number: no graph, no generated code, no buffer is shared. */
const reference: Backend<Numbers> = {
  mismatch: () => undefined, // The laws pass gradients that fit; each adapter tests what it refuses.
  zeros,
  scratch: zeros,
  signature: arraySignature,
  apply(kernel, lists, coefficients) {
    const [first] = Object.keys(lists)
    for (const [k, { values }] of lists[first].entries()) {
      for (const i of values.keys()) applyAt(kernel, lists, coefficients, k, i)
    }
  },
  sums(kernel, lists, coefficients) {
    const [first] = kernel.reads
    const sums = kernel.writes.map((written) => {
      const ofPosition = lists[first].map(({ values }, k) => {
        const elements = values.map((_, i) => {
          const read = kernel.reads.map((name) => [name, lists[name][k].values[i]])
          return kernel.evaluate(numbers, Object.fromEntries(read), coefficients)[written]
        })
        return elements.reduce((sum, value) => sum + value, 0)
      })
      return [written, ofPosition] as const
    })
    return Object.fromEntries(sums)
  },
  norm: ({ values }) => euclideanNorm(values),
  centralize: ({ values }, [rows]) => centralizeRows(values, rows),
  read: ({ dtype, values }): SavedArray =>
    dtype === 'float32' ? Float32Array.from(values) : Float64Array.from(values),
  write({ values }, elements) {
    values.splice(0, values.length, ...elements)
  },
}

function applyAt(
  kernel: Kernel,
  lists: ArrayLists<Numbers>,
  coefficients: Values<number>,
  k: number,
  i: number,
): void {
  const read = kernel.reads.map((name) => [name, lists[name][k].values[i]])
  const written = kernel.evaluate(numbers, Object.fromEntries(read), coefficients)
  for (const name of kernel.writes) {
    const { dtype, values } = lists[name][k]
    values[i] = dtype === 'float32' ? Math.fround(written[name]) : written[name]
  }
}

/** The mathematics of core on plain numbers, to which the other backends are compared. */
export const referenceBackend: BackendUnderTest = {
  name: 'reference',
  dtypes: ['float64', 'float32'],
  create(rule: UpdateRule, spec: OptimizerSpec): TestRun {
    const { dtype, parameters } = spec
    const options = spec.options as OptimizerOptions<Hyperparameters> // Checked by the optimizer.
    const round = dtype === 'float32' ? Math.fround : (x: number) => x
    const held = Object.entries(parameters).map(([name, { values, shape }]) => ({
      name,
      value: { dtype, values: Array.from(values, round) },
      shape,
    }))
    const optimizer = new Optimizer(reference, rule, held, options)
    const buffers = new Map<string, Numbers>()
    const filled = (name: string, elements: ArrayLike<number>): Numbers => {
      const values = Array.from(elements, round)
      const buffer = (spec.reuseBuffer && buffers.get(name)) || { dtype, values: [] }
      buffers.set(name, buffer)
      buffer.values.splice(0, values.length, ...values)
      return buffer
    }
    const all = (gradients: NamedNumbers): Record<string, Numbers> =>
      Object.fromEntries(Object.entries(gradients).map(([name, g]) => [name, filled(name, g)]))
    return {
      optimizer,
      step: (gradients) => optimizer.step(all(gradients)),
      inspect: (gradients) => optimizer.inspect(all(gradients)),
      setParameters(values) {
        for (const { name, value } of held) {
          if (values[name]) value.values.splice(0, value.values.length, ...Array.from(values[name]))
        }
      },
      parameters: () =>
        Object.fromEntries(held.map(({ name, value }) => [name, [...value.values]])),
    }
  },
}
