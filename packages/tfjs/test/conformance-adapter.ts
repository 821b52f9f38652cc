import {
  allRules,
  classNameOf,
  type Hyperparameters,
  type OptimizerOptions,
  type StateDict,
  type UpdateRule,
} from '@diffgrad/core'
import type {
  BackendUnderTest,
  NamedNumbers,
  OptimizerSpec,
  TestRun,
  UntypedOptions,
} from '@diffgrad/testing/conformance'
import { dispose, tensor, variable } from '@tensorflow/tfjs-core'
import * as optimizers from '../src/generated/optimizers.ts'
import { RuleOptimizer } from '../src/index.ts'

type OptimizerClass = new (options?: OptimizerOptions<Hyperparameters>) => RuleOptimizer

/** The optimizer classes by the names of their rules. */
export const classes: Readonly<Record<string, OptimizerClass>> = Object.fromEntries(
  allRules.flatMap((rule) =>
    Object.entries(optimizers).flatMap(([name, one]) =>
      name === classNameOf(rule) ? [[rule.name, one]] : [],
    ),
  ),
)

/** An optimizer of the rule's own class, or of the general one for any other rule. */
const createOptimizer = (
  rule: UpdateRule,
  options: OptimizerOptions<Hyperparameters>,
): RuleOptimizer => {
  const RuleClass = classes[rule.name]
  return RuleClass ? new RuleClass(options) : new RuleOptimizer(rule, options)
}

/** A backend of TensorFlow.js as the conformance suite sees it. */
export interface TensorSubject extends BackendUnderTest {
  /** Disposes of all variables and optimizers that sessions have created. */
  dispose(): void
}

/** Adapts variables of TensorFlow.js, on the current backend, to the conformance suite. They are float32 for any dtype. */
export function conformanceAdapter(name: string): TensorSubject {
  const created: { dispose(): void }[] = []
  let sessions = 0
  const create = (rule: UpdateRule, setup: OptimizerSpec): TestRun => {
    const suffix = `_${++sessions}` // The names of variables are global in TensorFlow.js.
    const variables = Object.entries(setup.parameters).map(([key, { values, shape }]) => {
      const initial = tensor(Float32Array.from(values), [...shape])
      const own = variable(initial, true, key + suffix)
      initial.dispose()
      return [key, own] as const
    })
    const optimizer = createOptimizer(rule, appendSuffix(setup.options ?? {}, suffix))
    optimizer.bind(variables.map(([, own]) => own))
    created.push(optimizer, ...variables.map(([, own]) => own))

    const buffers = new Map<string, Float32Array>()
    const fill = (key: string, elements: ArrayLike<number>): Float32Array => {
      const buffer = (setup.reuseBuffer && buffers.get(key)) || new Float32Array(elements.length)
      buffers.set(key, buffer)
      buffer.set(elements)
      return buffer
    }
    const tensors = (gradients: NamedNumbers) =>
      Object.entries(gradients).map(([key, g]) => {
        return {
          name: key + suffix,
          tensor: tensor(fill(key, g), [...setup.parameters[key].shape]),
        }
      })
    const withGradients = async <R>(
      gradients: NamedNumbers,
      use: (named: ReturnType<typeof tensors>) => R,
    ): Promise<R> => {
      const named = tensors(gradients)
      try {
        return use(named)
      } finally {
        dispose(named.map(({ tensor }) => tensor))
      }
    }
    return {
      optimizer: {
        report: (loss) => optimizer.report(loss),
        swapAverage: () => optimizer.swapAverage(),
        set: (changes) => optimizer.set(changes),
        loadStateDict: (state, options) => optimizer.loadStateDict(state, options),
        async stateDict(): Promise<StateDict> {
          const state = await optimizer.stateDict()
          return { ...state, parameters: removeSuffix(state.parameters, suffix) }
        },
      },
      step: (gradients) => withGradients(gradients, (named) => optimizer.applyGradients(named)),
      async inspect(gradients) {
        const shown = await withGradients(gradients, (named) => optimizer.inspect(named))
        const entries = Object.entries(shown).map(([key, values]) => [
          key,
          removeSuffix(values, suffix),
        ])
        return Object.fromEntries(entries)
      },
      setParameters(values) {
        for (const [key, own] of variables) {
          if (!values[key]) continue
          const replacement = tensor(Float32Array.from(values[key]), own.shape)
          own.assign(replacement)
          replacement.dispose()
        }
      },
      async parameters() {
        const read = variables.map(async ([key, own]) => [key, Array.from(await own.data())])
        return Object.fromEntries(await Promise.all(read))
      },
    }
  }
  const disposeAll = (): void => {
    for (const one of created.splice(0)) one.dispose()
  }
  const unsupported = name === 'webgpu' ? (['skipNotFinite'] as const) : []
  return { name, dtypes: ['float32'], unsupported, create, dispose: disposeAll }
}

/** Appends the suffix of a session's variables to the names listed in groups. */
function appendSuffix(options: UntypedOptions, suffix: string): OptimizerOptions<Hyperparameters> {
  const groups = Array.isArray(options.groups) ? options.groups : []
  const own = groups.map(({ parameters, ...options }) => ({
    ...options,
    parameters: Array.isArray(parameters)
      ? parameters.map((key: string) => key + suffix)
      : parameters,
  }))
  return { ...options, groups: own } as OptimizerOptions<Hyperparameters> // Checked by the optimizer.
}

/** Removes the suffix from the keys. */
const removeSuffix = <V>(named: Readonly<Record<string, V>>, suffix: string): Record<string, V> =>
  Object.fromEntries(Object.entries(named).map(([name, v]) => [name.slice(0, -suffix.length), v]))
