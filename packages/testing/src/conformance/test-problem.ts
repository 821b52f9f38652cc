import type { StateDict, UpdateRule } from '@diffgrad/core'
import { expectClose } from '../tolerance.ts'
import type {
  BackendUnderTest,
  InitialParameter,
  NamedNumbers,
  OptimizerSpec,
  TestRun,
  UntypedOptions,
} from './backend-under-test.ts'

// The small optimization problem that the laws share: two parameters and a sequence of gradients.

/** Two parameters, of one and two axes. */
export const parameters: Readonly<Record<string, InitialParameter>> = {
  bias: { values: [0.5, -1.25, 2], shape: [3] },
  weights: { values: [1, -0.5, 0.25, -2, 3, 0.125], shape: [3, 2] },
}

/** Gradients of all `parameters` at step t, whose sizes and signs change from step to step. */
export const gradientsAt = (t: number, scale = 1): NamedNumbers => ({
  bias: [0, 1, 2].map((i) => scale * Math.sin(1.7 * t + i) * (i + 0.5)),
  weights: [0, 1, 2, 3, 4, 5].map((i) => scale * Math.cos(2.3 * t * (i + 1)) * (0.2 + i)),
})

/** The options that a rule has, out of `options`. */
export const supportedOptions = (rule: UpdateRule, options: UntypedOptions): UntypedOptions =>
  Object.fromEntries(Object.entries(options).filter(([option]) => option in rule.defaults))

/** Options without the transforms that a rule refuses: one with an evaluation point averages its weights itself. */
export const supportedTransforms = <V>(
  { evaluationPoint }: UpdateRule,
  options: Readonly<Record<string, V>>,
): Readonly<Record<string, V>> => {
  const { lookahead, ema, ...others } = options
  return evaluationPoint ? others : options
}

/** Creates an optimizer of `parameters`, in the first data type of the backend by default. */
export const createOptimizer = (
  backend: BackendUnderTest,
  rule: UpdateRule,
  options: UntypedOptions = {},
  spec: Partial<OptimizerSpec> = {},
): TestRun =>
  backend.create(rule, {
    dtype: backend.dtypes[0],
    parameters,
    options,
    ...spec,
  })

/** Takes the steps from `first` to `last`, inclusive, with the gradients of `gradientsAt`. */
export async function takeSteps(
  run: TestRun,
  first: number,
  last: number,
  scale = 1,
): Promise<void> {
  for (let t = first; t <= last; t++) await run.step(gradientsAt(t, scale))
}

/** Returns the parameters of a new optimizer after ten steps. */
export async function afterTenSteps(
  backend: BackendUnderTest,
  rule: UpdateRule,
  options: UntypedOptions = {},
  spec: Partial<OptimizerSpec> = {},
): Promise<Readonly<Record<string, number[]>>> {
  const run = createOptimizer(backend, rule, options, spec)
  await takeSteps(run, 1, 10)
  return run.parameters()
}

/** Writes a state as JSON and reads it; a typed array becomes its kind and a list of numbers. */
export function throughJson(state: StateDict): StateDict {
  const text = JSON.stringify(state, (_, value) =>
    ArrayBuffer.isView(value)
      ? { kind: value.constructor.name, elements: Array.from(value as Float64Array) }
      : value,
  )
  return JSON.parse(text, (_, value) => {
    if (value?.kind === 'Float32Array') return Float32Array.from(value.elements)
    if (value?.kind === 'Float64Array') return Float64Array.from(value.elements)
    return value
  })
}

/**
 * Throws unless numbers agree to float32 accuracy. The values of the laws are below 8, and some are
 * read as differences of such parameters, so rounding leaves up to 5e-6 where the result is near 0.
 */
export const expectNear = (
  actual: number | ArrayLike<number>,
  expected: number | ArrayLike<number>,
): void => expectClose(actual, expected, { relative: 1e-5, absolute: 5e-6 })
